"""`safecity plates`: read licence plates in pictures and films."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from safecity.kit.errors import InvalidError, SafecityError

if TYPE_CHECKING:
    from safecity.vision.plates.recognise import PlateRead, PlateRecogniser
    from safecity.vision.plates.restore import Restored
    from safecity.vision.plates.voting import PlateSeen

app = typer.Typer(no_args_is_help=True, help="Licence plates in pictures and films.")


class Wish(NamedTuple):
    """What is to be done with plates that cannot be read for sure."""

    restore: bool
    folder: Path | None


WITHOUT_SECOND = (
    "The second reader is not installed or cannot be used: one reader reads alone "
    "(pip install --no-deps 'rapidocr>=3.3,<3.9')."
)
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}


@app.callback()
def plates() -> None:
    """Licence plates in pictures and films."""


@app.command()
def read(
    files: Annotated[list[Path], typer.Argument(help="Pictures, or films of any format that is decoded here.")],
    fps: Annotated[float, typer.Option(help="Frames of a film looked at in each second.", min=0.1, max=60)] = 5.0,
    threads: Annotated[int, typer.Option(help="Processor cores to use.", min=1, max=64)] = 1,
    countries: Annotated[str, typer.Option(help="Whose plates are expected, with commas between.")] = "cn,eu,us,br",
    restore: Annotated[
        bool, typer.Option(help="Of a doubtful plate in a picture also say what it is unblurred.")
    ] = True,
    restored: Annotated[Path | None, typer.Option(help="Folder for restored plates, each below its original.")] = None,
    models: Annotated[Path | None, typer.Option(help="Folder of other networks (locator.onnx, reader.onnx).")] = None,
    second: Annotated[
        bool, typer.Option(help="Ask the second reader, where it is installed, of plates that ours is not sure of.")
    ] = True,
) -> None:
    """Print one line of JSON for each plate of a picture, or each vehicle of a film. Exit 1 when a file is unreadable.

    Doubtful readings are printed too, marked `"doubtful": true`: whether they count is for a person to decide.
    """
    try:
        recogniser = _open(threads, models, countries, second)
    except (SafecityError, ImportError) as error:
        typer.echo(f"{error} (plates need the extra safecity[vision])", err=True)
        raise typer.Exit(2) from None
    if second and recogniser.second is None:
        typer.echo(WITHOUT_SECOND, err=True)
    wish = Wish(restore, restored)
    good = True
    for file in files:
        try:
            still = file.suffix.lower() in PICTURES
            for line in _picture(recogniser, file, wish) if still else _film(recogniser, file, fps):
                typer.echo(json.dumps({"file": str(file), **line}, ensure_ascii=False))
        except (SafecityError, OSError) as error:
            typer.echo(f"{file}: {error}", err=True)
            good = False
    raise typer.Exit(0 if good else 1)


def _open(threads: int, models: Path | None, countries: str, second: bool) -> PlateRecogniser:
    from safecity.server.engines import INFERENCE, opener
    from safecity.vision.plates.alphabet import COUNTRIES
    from safecity.vision.plates.recognise import MODELS, open_recogniser
    from safecity.vision.plates.second import installed

    url = f"onnx:?threads={threads}"
    wanted = frozenset(part.strip() for part in countries.split(",") if part.strip())
    if not wanted or not wanted <= COUNTRIES:
        raise InvalidError(
            f"--countries: {countries!r} is not of {', '.join(sorted(COUNTRIES))}", code="plates_country"
        )
    inference = opener(INFERENCE, "engines.inference", url)(url)
    return open_recogniser(inference, models or MODELS, countries=wanted, second=installed() if second else None)


def _picture(recogniser: PlateRecogniser, file: Path, wish: Wish) -> list[dict[str, Any]]:
    from safecity.vision.pictures import load_picture
    from safecity.vision.plates.restore import restore

    picture = load_picture(file.read_bytes())
    lines: list[dict[str, Any]] = []
    for number, read in enumerate(recogniser.still(picture)):
        lines.append(_told(read))
        found = restore(recogniser, picture, read.corners) if wish.restore and read.doubtful else None
        if found is not None:
            lines[-1]["restored"] = _proposed(found)
        if found is not None and wish.folder is not None:
            lines[-1]["restored"]["file"] = str(_kept(found, wish.folder, f"{file.stem}-{number + 1}"))
    return lines


def _proposed(found: Restored) -> dict[str, Any]:
    return {
        "plate": found.text,
        "confidence": round(found.confidence, 3),
        "likely": found.likely,
        "blur": round(found.blur, 3),
        "angle": found.angle,
    }


def _kept(found: Restored, folder: Path, name: str) -> Path:
    """Where it lies now; nothing that is there is written over. OSError where nothing can be written."""
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    _, data = cv2.imencode(".png", found.beside)
    names = itertools.chain((name,), (f"{name}-{again}" for again in itertools.count(2)))
    file = next(free for one in names if not (free := folder / f"{one}.png").exists())
    file.write_bytes(data.tobytes())
    return file


def _film(recogniser: PlateRecogniser, file: Path, fps: float) -> list[dict[str, Any]]:
    from safecity.vision.decode import frames
    from safecity.vision.plates.film import PlateFilm

    if not file.is_file():
        raise FileNotFoundError("no such file")
    film = PlateFilm(recogniser)
    seen: list[PlateSeen] = []
    for frame in frames(file, fps):
        seen += film.look(frame.at_seconds, frame.picture)[1]
    return [_voted(one) for one in (*seen, *film.end())]


def _told(read: PlateRead) -> dict[str, Any]:
    return {
        "plate": read.text,
        "confidence": round(read.confidence, 3),
        "doubtful": read.doubtful,
        "kind": read.kind and str(read.kind),
        "country": read.kind and read.kind.country,
        "colour": read.kind and read.kind.colour,
        "second_reader": read.second,
        "lines": read.lines,
        "tilt_degrees": round(read.tilt_degrees, 1),
        "corners": _points(read.corners),
        "signs": [
            {"sign": one.sign, "confidence": round(one.confidence, 3), "corners": _points(one.corners)}
            for one in read.signs
        ],
        "others": list(read.others),
    }


def _voted(seen: PlateSeen) -> dict[str, Any]:
    return {
        "plate": seen.text,
        "confidence": round(seen.confidence, 3),
        "doubtful": seen.doubtful,
        "sights": seen.sights,
        "first_seconds": round(seen.first_seconds, 3),
        "last_seconds": round(seen.last_seconds, 3),
        "best": {"at_seconds": round(seen.best.at_seconds, 3), **_told(seen.best.read)},
    }


def _points(corners: Any) -> list[list[float]]:
    return [[round(float(x), 1), round(float(y), 1)] for x, y in corners]
