"""The sandbox in which students' notebooks run under `mlsys grade`: ours, small, on Linux's namespaces.

`box.run` is called in a fork of the warm parent; `features` says what a machine lacks; `docker` is for other systems.
"""
