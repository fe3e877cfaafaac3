# cython: language_level=3, binding=False
"""Fits rows of runs inside a box to a mask: a first guess, then one small move at a time."""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memset

from boxgrid_rows cimport MOST, Row, Scale, Sides, make_scale, pixel_at, row_above, sides_at


cdef enum:
    MOVES = 10

cdef int[10][2] STEPS = [
    [-1, 0], [1, 0], [0, -1], [0, 1], [-1, -1], [1, 1], [-2, 0], [2, 0], [0, -2], [0, 2]
]


cdef struct Fit:
    Scale scale
    int rows
    int columns
    int lines
    const int32_t* ys  # the lines of the box that are looked at, from its top
    const int32_t* sums  # (lines, width + 1): set pixels of a line before x
    int64_t width
    int64_t truth  # set pixels in all lines
    int64_t both
    int64_t painted


cdef void _compare(
    const Fit* fit, const Row* rows, int first, int stop, int64_t* both, int64_t* painted
) noexcept nogil:
    """Count what lines first..stop paint, and how much of it is set in the mask."""
    cdef int line, k, start, end, key = -1, done
    cdef int64_t share = 0
    cdef const int32_t* sums
    cdef Sides sides
    sides.count = 0
    both[0] = 0
    painted[0] = 0
    for line in range(first, stop):
        sides_at(rows, fit.rows, fit.ys[line], fit.scale.height, &share, &key, &sides)
        sums = fit.sums + line * (fit.width + 1)
        done = 0
        for k in range(sides.count):
            start = pixel_at(&fit.scale, sides.start_above[k], sides.start_below[k], share)
            end = pixel_at(&fit.scale, sides.end_above[k], sides.end_below[k], share)
            start = max(start, done)
            if end > start:
                both[0] += sums[end] - sums[start]
                painted[0] += end - start
                done = end


cdef bint _try(
    Fit* fit, Row* rows, int i, int k, int move, int first, int stop,
    int64_t* both, int64_t* painted
) noexcept nogil:
    """Move run k of row i, and keep the move if IoU grows; both and painted are those of lines."""
    cdef Row* row = &rows[i]
    cdef int old_start = row.start[k], old_end = row.end[k]
    cdef int start = old_start + STEPS[move][0], end = old_end + STEPS[move][1]
    cdef int64_t new_both, new_painted, all_both, all_painted
    if start >= end or start < 0 or end > fit.columns:
        return False
    if (k and start <= row.end[k - 1]) or (k + 1 < row.count and end >= row.start[k + 1]):
        return False
    row.start[k] = start
    row.end[k] = end
    _compare(fit, rows, first, stop, &new_both, &new_painted)
    all_both = fit.both + new_both - both[0]
    all_painted = fit.painted + new_painted - painted[0]
    if all_both * (fit.painted + fit.truth - fit.both) > (
        fit.both * (all_painted + fit.truth - all_both)
    ):
        fit.both = all_both
        fit.painted = all_painted
        both[0] = new_both
        painted[0] = new_painted
        return True
    row.start[k] = old_start
    row.end[k] = old_end
    return False


cdef void _climb(Fit* fit, Row* rows, int passes) noexcept nogil:
    """Move one run at a time as long as that raises IoU; a few passes over all rows at most."""
    cdef int i, k, move, first, stop
    cdef int64_t both, painted, share = 0
    cdef bint moved
    _compare(fit, rows, 0, fit.lines, &fit.both, &fit.painted)
    for _ in range(passes):
        moved = False
        first = 0
        stop = 0
        for i in range(fit.rows):
            # The lines that row i has a say in: between the middles of its neighbours.
            while first < fit.lines and (
                row_above(fit.ys[first], fit.scale.height, fit.rows, &share) < i - 1
            ):
                first += 1
            while stop < fit.lines and (
                row_above(fit.ys[stop], fit.scale.height, fit.rows, &share) <= i
            ):
                stop += 1
            _compare(fit, rows, first, stop, &both, &painted)
            for k in range(rows[i].count):
                for move in range(MOVES):
                    if _try(fit, rows, i, k, move, first, stop, &both, &painted):
                        moved = True
        if not moved:
            return


@cython.cdivision(True)  # the same
cdef void _first_guess(
    Row* row, const int32_t* counts, int64_t width, int lines, int columns
) noexcept nogil:
    """Runs of the columns that are set in half of the lines or more, at the nearest places."""
    cdef int64_t x = 0, left, best = 0
    cdef int start, end
    row.count = 0
    while x < width:
        if counts[x] > counts[best]:
            best = x
        if 2 * counts[x] < lines:
            x += 1
            continue
        left = x
        while x < width and 2 * counts[x] >= lines:
            if counts[x] > counts[best]:
                best = x
            x += 1
        start = <int>((2 * left * columns + width) // (2 * width))
        end = <int>((2 * x * columns + width) // (2 * width))
        if row.count and start <= row.end[row.count - 1]:
            row.end[row.count - 1] = max(end, row.end[row.count - 1])
        elif start < end and row.count < MOST:
            row.start[row.count] = start
            row.end[row.count] = end
            row.count += 1
    if row.count == 0 and counts[best]:
        row.count = 1
        row.start[0] = <int>min(best * columns // width, columns - 1)
        row.end[0] = row.start[0] + 1


cdef void _guess(
    Fit* fit, Row* rows, const uint8_t* corner, Py_ssize_t stride, int32_t* counts
) noexcept nogil:
    """A first guess of every row from the lines that its strip owns, or from its middle line."""
    cdef int i, line = 0, owned
    cdef int64_t x, y, height = fit.scale.height
    cdef const uint8_t* pixels
    for i in range(fit.rows):
        memset(counts, 0, fit.width * sizeof(int32_t))
        owned = 0
        while line < fit.lines and (
            (2 * <int64_t>fit.ys[line] + 1) * fit.rows < 2 * height * (i + 1)
        ):
            pixels = corner + fit.ys[line] * stride
            for x in range(fit.width):
                counts[x] += pixels[x]
            owned += 1
            line += 1
        if owned == 0:
            y = (2 * i + 1) * height // (2 * fit.rows)
            pixels = corner + y * stride
            for x in range(fit.width):
                counts[x] += pixels[x]
            owned = 1
        _first_guess(&rows[i], counts, fit.width, owned, fit.columns)


cdef void _add_up(Fit* fit, const uint8_t* corner, Py_ssize_t stride, int32_t* sums) noexcept nogil:
    cdef int line
    cdef int64_t x
    cdef int32_t total
    cdef const uint8_t* pixels
    fit.truth = 0
    for line in range(fit.lines):
        pixels = corner + fit.ys[line] * stride
        total = 0
        sums[0] = 0
        sums += 1
        for x in range(fit.width):
            total += pixels[x]
            sums[x] = total
        sums += fit.width
        fit.truth += total


def fit(
    const uint8_t[:, ::1] mask, const int32_t[::1] box, const int32_t[::1] ys, int columns,
    int passes, int32_t[:, ::1] sums, int32_t[::1] column_counts, uint8_t[::1] counts,
    uint8_t[:, :, ::1] runs
):
    """Write the runs. Return how many set pixels they paint, how many pixels, and how many are set,
    all in the lines that are looked at.
    """
    cdef Py_ssize_t left = box[0], top = box[1], right = box[2], bottom = box[3]
    cdef Py_ssize_t rows = counts.shape[0], i, k
    cdef Row[64] found
    cdef Fit state
    if not (0 <= left < right <= mask.shape[1] and 0 <= top < bottom <= mask.shape[0]):
        raise ValueError("box")
    if not (1 <= rows <= 64 and 1 <= columns < 2 * MOST and runs.shape[0] == rows
            and runs.shape[1] == MOST and runs.shape[2] == 2):
        raise ValueError("rows")
    if not (sums.shape[0] == ys.shape[0] and sums.shape[1] == right - left + 1
            and column_counts.shape[0] == right - left):
        raise ValueError("scratch")
    for i in range(ys.shape[0]):
        if not (0 <= ys[i] < bottom - top and (i == 0 or ys[i - 1] < ys[i])):
            raise ValueError("ys")
    state.scale = make_scale(bottom - top, right - left, columns)
    state.rows = <int>rows
    state.columns = columns
    state.lines = <int>ys.shape[0]
    state.ys = &ys[0]
    state.sums = &sums[0, 0]
    state.width = right - left
    cdef const uint8_t* corner = &mask[top, left]
    with nogil:
        _add_up(&state, corner, mask.shape[1], &sums[0, 0])
        _guess(&state, found, corner, mask.shape[1], &column_counts[0])
        _climb(&state, found, passes)
        for i in range(rows):
            counts[i] = <uint8_t>found[i].count
            for k in range(found[i].count):
                runs[i, k, 0] = <uint8_t>found[i].start[k]
                runs[i, k, 1] = <uint8_t>found[i].end[k]
    return state.both, state.painted, state.truth
