"""Sizes of a convolution network's blocks, from the grid of a record and the filters of each block. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH, POOL = 3, 2
VALUES = 5_000_000
"""Of the largest activation of the rows that are computed together: more of them need memory and are no faster."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block: convolution at the same size, normalisation, feature-wise scale and shift, ReLU, max pool.

    Attributes:
        channels, height, width: Of what goes in; a signal is a picture of height 1.
        filters: Channels of what comes out.
        kernel: Height and width of a filter: 3 x 3, or 1 x 3 for signals.
    """

    channels: int
    height: int
    width: int
    filters: int
    kernel: tuple[int, int]

    @property
    def inputs(self) -> int:
        """Weights of one filter: what one position sees."""
        return self.channels * self.kernel[0] * self.kernel[1]

    @property
    def positions(self) -> int:
        """Places that a filter is applied to."""
        return self.height * self.width

    @property
    def padding(self) -> tuple[int, int]:
        """Zeros on each side, which keep the size."""
        return self.kernel[0] // 2, self.kernel[1] // 2

    @property
    def pool(self) -> tuple[int, int]:
        """Height and width of the max pool: 2 in each direction that is long enough, else 1."""
        return min(POOL, self.height), min(POOL, self.width)

    @property
    def pooled(self) -> tuple[int, int]:
        """Height and width of what comes out."""
        return self.height // self.pool[0], self.width // self.pool[1]

    @property
    def units(self) -> int:
        """Numbers that come out for a record."""
        return self.filters * self.pooled[0] * self.pooled[1]


def blocks_of(grid: tuple[int, ...], filters: tuple[int, ...]) -> tuple[Block, ...]:
    """The blocks of a network.

    Args:
        grid: Channels, height and width of a picture, or channels and length of a signal; empty for a dense network, which has no blocks.
        filters: Of each block.
    """
    if not grid:
        return ()
    channels, height, width = grid if len(grid) == 3 else (grid[0], 1, grid[1])
    kernel, out = (WIDTH if len(grid) == 3 else 1, WIDTH), list[Block]()
    for count in filters:
        out.append(Block(channels=channels, height=height, width=width, filters=count, kernel=kernel))
        channels, (height, width) = count, out[-1].pooled
    return tuple(out)


def rows_together(blocks: tuple[Block, ...], records: int, most: int) -> int:
    """How many rows of so many records to compute together: at most ``most``, and of a convolution network no more than memory likes, but one."""
    largest = max((b.filters * b.positions for b in blocks), default=0)
    return max(1, min(most, VALUES // (largest * records))) if largest * records else most


def layer_sizes(features: int, grid: tuple[int, ...], hidden: tuple[int, ...], outputs: int) -> tuple[tuple[int, int], ...]:
    """(outputs, inputs) of each layer's weights, the head last.

    Args:
        features: Numbers of a record.
        grid: See :func:`blocks_of`.
        hidden: Units of each hidden layer, or filters of each block where there is a grid.
        outputs: Units of the head.
    """
    blocks = blocks_of(grid, hidden)
    if blocks:
        return (*((b.filters, b.inputs) for b in blocks), (outputs, blocks[-1].units))
    units = (features, *hidden, outputs)
    return tuple(zip(units[1:], units[:-1], strict=True))
