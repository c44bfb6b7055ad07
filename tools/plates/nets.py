"""The two networks: plain convolutions, small enough for one core of a recorder."""

from __future__ import annotations

import torch
from torch import nn

from safecity.vision.plates.alphabet import KINDS, SIGNS


def conv(into: int, out: int, size: int | tuple[int, int], step: int | tuple[int, int] = 1) -> nn.Sequential:
    """Convolution, normalisation, ReLU."""
    high, wide = size if isinstance(size, tuple) else (size, size)
    return nn.Sequential(
        nn.Conv2d(into, out, (high, wide), step, (high // 2, wide // 2), bias=False), nn.BatchNorm2d(out), nn.ReLU()
    )


class Residual(nn.Module):
    """Adds what one convolution finds to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.body(x))


class ReaderNet(nn.Module):
    """A strip of 3 x 40 x 160 to 40 columns of signs and one kind; 75 million multiplications."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 32, 3, 2), Residual(32), conv(32, 64, 3, 2), Residual(64), conv(64, 96, 3, (2, 1)), Residual(96)
        )
        self.down = nn.Sequential(nn.Conv2d(96, 160, (5, 1), bias=False), nn.BatchNorm2d(160), nn.ReLU())
        self.along = conv(160, 160, (1, 5))
        self.signs = nn.Conv2d(160, len(SIGNS) + 1, 1)
        self.kind = nn.Linear(96 + 160, len(KINDS))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (logits) of signs, batch x columns x signs, and of kinds, batch x kinds."""
        body = self.body(x)
        line = self.down(body)
        line = line + self.along(line)
        both = torch.cat((body.mean((2, 3)), line.mean((2, 3))), 1)
        return self.signs(line).squeeze(2).transpose(1, 2), self.kind(both)


class LocatorNet(nn.Module):
    """A picture to a map of an eighth of its size: how likely a plate's middle is here, and where its corners are."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 16, 3, 2), conv(16, 24, 3, 2), Residual(24), conv(24, 48, 3, 2), Residual(48), Residual(48)
        )
        self.wide = nn.Sequential(conv(48, 64, 3, 2), Residual(64), Residual(64), conv(64, 64, 3))
        self.join = conv(64 + 48, 64, 3)
        self.score = nn.Conv2d(64, 1, 1)
        self.corners = nn.Conv2d(64, 8, 1)
        nn.init.constant_(self.score.bias, -4.0)  # nearly everything is no plate; start from there

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (logits), batch x 1 x h x w, and corner offsets in cells of 8 pixels, batch x 8 x h x w."""
        near = self.body(x)
        far = nn.functional.interpolate(self.wide(near), scale_factor=2.0, mode="nearest")
        joined = self.join(torch.cat((near, far), 1))
        return self.score(joined), self.corners(joined)
