"""`safecity objects`: try a detector of one's own before the platform works with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safecity.kit.errors import SafecityError

if TYPE_CHECKING:
    from safecity.vision.objects.detector import Detector

app = typer.Typer(no_args_is_help=True, help="A detector of one's own (YOLO or RT-DETR as ONNX).")


@app.callback()
def objects() -> None:
    """A detector of one's own (YOLO or RT-DETR as ONNX)."""


@app.command()
def detect(
    files: Annotated[list[Path], typer.Argument(help="Pictures.")],
    detector: Annotated[Path, typer.Option(help="Folder with detector.onnx and detector.json.")],
    threads: Annotated[int, typer.Option(help="Processor cores to use.", min=1, max=64)] = 1,
) -> None:
    """Print one line of JSON for each object. Exit 2 when the detector cannot be used, 1 when a file is unreadable."""
    try:
        found = _open(detector, threads)
    except (SafecityError, ImportError) as error:
        typer.echo(f"{error} (detectors need the extra safecity[vision])", err=True)
        raise typer.Exit(2) from None
    good = True
    for file in files:
        try:
            for line in _seen(found, file.read_bytes()):
                typer.echo(json.dumps({"file": str(file), **line}, ensure_ascii=False))
        except (SafecityError, OSError) as error:
            typer.echo(f"{file}: {error}", err=True)
            good = False
    raise typer.Exit(0 if good else 1)


def _open(folder: Path, threads: int) -> Detector:
    from safecity.server.engines import INFERENCE, opener
    from safecity.vision.objects.detector import open_detector

    url = f"onnx:?threads={threads}"
    return open_detector(opener(INFERENCE, "engines.inference", url)(url), folder)


def _seen(detector: Detector, data: bytes) -> list[dict[str, object]]:
    from safecity.vision.pictures import load_picture

    return [
        {
            "label": one.label,
            "score": round(one.score, 3),
            "box": [round(side, 1) for side in one.box],
            "vehicle_class": detector.vehicle_class(one),
            "model": detector.info.name,
            "digest": detector.info.digest,
        }
        for one in detector.find(load_picture(data))
    ]
