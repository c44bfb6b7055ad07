"""Chinese number plates, drawn without any system font.

The Latin part is OpenCV's own line font; the province character is a small bitmap kept here, one for each of the
provinces whose character stays legible at that size.
"""

from __future__ import annotations

from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
"""I and O are not used on plates."""

PROVINCES: dict[str, tuple[str, ...]] = {
    "京": (
        ".....##.....", ".....##.....", "############", "............", "..########..", "..#......#..",
        "..#......#..", "..########..", ".....##.....", "..##.##.##..", ".##..##..##.", ".....##.....",
    ),
    "川": (
        ".#....#....#", ".#....#....#", ".#....#....#", ".#....#....#", ".#....#....#", ".#....#....#",
        ".#....#....#", ".#....#....#", ".#....#....#", "##....#....#", "#.....#....#", "#..........#",
    ),
    "云": (
        "............", "..########..", "............", "............", "############", "............",
        "....##......", "...##.......", "..##....##..", ".##......##.", "############", "...........#",
    ),
    "吉": (
        ".....##.....", ".....##.....", "############", ".....##.....", ".....##.....", "..########..",
        "............", "..########..", "..#......#..", "..#......#..", "..########..", "..#......#..",
    ),
    "甘": (
        "...#....#...", "...#....#...", "############", "...#....#...", "...#....#...", "...#....#...",
        "...######...", "...#....#...", "...#....#...", "...#....#...", "...######...", "...#....#...",
    ),
    "晋": (
        ".##########.", "....#..#....", ".#..#..#..#.", "..#.#..#.#..", "....#..#....", "############",
        "............", "..########..", "..#......#..", "..########..", "..#......#..", "..########..",
    ),
    "鲁": (
        "....####....", "...#...#....", "..#...#.....", ".##########.", ".#...##...#.", ".#...##...#.",
        ".##########.", ".#...##...#.", ".#...##...#.", ".##########.", "............", "############",
        "............", "..########..", "..#......#..", "..########..", "..#......#..", "..########..",
    ),
    "皖": (
        "..#.....#...", ".####.######", ".#..#.#....#", ".#..#..####.", ".####.......", ".#..#.######",
        ".#..#..#.#..", ".#..#..#.#..", ".####..#.#..", ".#..#.##.#.#", ".....##..#.#", ".....#...###",
    ),
}  # fmt: skip

WIDTH, HEIGHT = 176, 56
"""Pixels of a plate as drawn; the proportions are those of the 440 x 140 mm plate (GA 36)."""


def random_plate(dice: Random, *, energy: bool = False) -> str:
    """`皖A12B45`; a new-energy plate (GA 36-2018, small vehicles) has one character more: `皖AD12345`, `皖ADB2345`."""
    province = dice.choice("皖皖皖京川云吉甘晋鲁")
    digits = "0123456789"
    mixed = digits * 3 + LETTERS
    tail = "".join(dice.choice(one) for one in (mixed, *([digits if energy else mixed] * 3), digits))
    return province + dice.choice("ABCDEF") + ("D" if energy else "") + tail


def draw_plate(plate: str) -> Picture:
    """BGR picture of WIDTH x HEIGHT: white on blue, or black on green for new energy."""
    energy = len(plate) == 8
    ground, ink = ((170, 220, 160), (20, 20, 20)) if energy else ((150, 60, 10), (255, 255, 255))
    picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    picture[:] = ground
    cv2.rectangle(picture, (2, 2), (WIDTH - 3, HEIGHT - 3), ink, 1)
    pitch = (WIDTH - 14) / (len(plate) + 0.5)
    _draw_province(picture, plate[0], ink, (6, 10), (round(pitch) - 1, HEIGHT - 20))
    for index, letter in enumerate(plate[1:], start=1):
        left = 8 + round(pitch * (index + (0.5 if index > 1 else 0)))
        cv2.putText(picture, letter, (left, HEIGHT - 14), cv2.FONT_HERSHEY_SIMPLEX, pitch / 22, ink, 2, cv2.LINE_AA)
    cv2.circle(picture, (8 + round(pitch * 2.15), HEIGHT // 2), 2, ink, -1)
    return picture


def _draw_province(
    picture: Picture, province: str, ink: tuple[int, int, int], at: tuple[int, int], size: tuple[int, int]
) -> None:
    rows = PROVINCES[province]
    bitmap = np.array([[255 * (cell == "#") for cell in row] for row in rows], np.uint8)
    mask = cv2.resize(bitmap, size, interpolation=cv2.INTER_LINEAR) > 110
    left, top = at
    picture[top : top + size[1], left : left + size[0]][mask] = ink
