"""The sandbox in which students' notebooks run under `mlsys grade`: ours, small, on Linux's namespaces.

`box.run` is called in a fork of the warm parent; `features` says what a machine lacks; `docker` is for other systems.

What it promises is what `tests/grading/sandbox` tries. What it does not:
- A hole in the kernel is a hole in the box. For that, grade in a virtual machine.
- The machine's name of kernel, processors, load and free memory can be read in /proc, and the folders of the host from
  which the listed ones come can be read in /proc/mounts: names, not contents.
- A unix socket that lies in a listed folder can be connected to: list folders of files only.
- Of memory that the kernel keeps for a process, page tables and sockets are counted; pipes are limited by the kernel;
  smaller things (file locks, watches, timers) are not counted.
- As an ordinary user, the box's user is that user outside: what the namespaces hide is safe, but the user's groups
  stay, and a hole would give that user's rights. As root, each box has a user that owns nothing, and no groups.
"""
