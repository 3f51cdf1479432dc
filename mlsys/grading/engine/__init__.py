"""Running a submission: a warm parent forks a kernel into a sandbox, and a trusted checker judges what it answers."""
