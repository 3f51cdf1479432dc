"""LLVM, as llvmlite gives it: from intermediate code to the address of a function on this processor."""

from __future__ import annotations

import functools

import llvmlite.binding as llvm

_ENGINES: list[llvm.ExecutionEngine] = []  # they own the code, so they live as long as the process


@functools.cache
def processor() -> tuple[str, str]:
    """Name and features of this processor."""
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def _machine() -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name, features = processor()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(cpu=name, features=features, opt=3, codemodel="jitdefault", jit=True)


def parse(text: str, entry: str | None = None) -> llvm.ModuleRef:
    """The module that this intermediate code describes; of its functions, what `entry` does not call is dropped."""
    module = llvm.parse_assembly(text)
    if entry is not None:
        for function in module.functions:
            if not function.is_declaration and function.name != entry:
                function.linkage = "internal"
        passes = llvm.create_new_module_pass_manager()
        passes.add_global_dead_code_eliminate_pass()
        passes.run(module, llvm.create_pass_builder(_machine(), llvm.create_pipeline_tuning_options()))
    return module


def emit(module: llvm.ModuleRef) -> bytes:
    """Object code."""
    return _machine().emit_object(module)


def assembly(module: llvm.ModuleRef) -> str:
    """The same for readers."""
    return _machine().emit_assembly(module)


def link(code: bytes, entry: str) -> int:
    """The address of the function `entry`, its object code loaded into this process."""
    machine = _machine()
    empty = llvm.parse_assembly("")
    empty.triple = llvm.get_process_triple()
    engine = llvm.create_mcjit_compiler(empty, machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _ENGINES.append(engine)
    return engine.get_function_address(entry)
