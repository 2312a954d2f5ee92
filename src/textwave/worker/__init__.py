"""The jobs of an installation, run by Procrastinate: as many worker processes as wanted."""

from textwave.worker.process import run_worker

__all__ = ["run_worker"]
