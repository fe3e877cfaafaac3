"""The planes of images that a batch is painted into, opened for one call without the GIL.

Threads that hand the GIL to each other for each image wait for it longer than they paint.
"""

from cpython.buffer cimport (
    PyBUF_ND, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.stdint cimport uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from clearing cimport CLEAR, FAR, stream_zeros


cdef struct Canvas:
    Py_buffer view
    uint8_t* pixels  # (count, height, width)
    Py_ssize_t count
    Py_ssize_t height
    Py_ssize_t width
    int before  # what it holds, see `clearing`


cdef inline void close_canvases(Canvas* canvases, Py_ssize_t opened) noexcept:
    cdef Py_ssize_t i
    for i in range(opened):
        PyBuffer_Release(&canvases[i].view)
    free(canvases)


cdef inline Canvas* open_canvases(given) except NULL:
    """Open pairs of an array (count, height, width) of bytes, C-contiguous, and what it holds, see
    `clearing`; sides are up to 65,536. `close_canvases` lets go of them.
    """
    cdef Py_ssize_t count = len(given), opened = 0
    cdef Canvas* canvases = <Canvas*>calloc(count + 1, sizeof(Canvas))
    cdef Canvas* one
    if canvases == NULL:
        raise MemoryError
    try:
        while opened < count:
            one = &canvases[opened]
            array, before = given[opened]
            PyObject_GetBuffer(array, &one.view, PyBUF_WRITABLE | PyBUF_ND)
            opened += 1
            if one.view.ndim != 3 or one.view.itemsize != 1:
                raise ValueError("planes are (count, height, width) bytes")
            one.pixels = <uint8_t*>one.view.buf
            one.count, one.height = one.view.shape[0], one.view.shape[1]
            one.width, one.before = one.view.shape[2], before
            if max(one.height, one.width) > 65536:
                raise ValueError("a side is longer than 65,536")
    except BaseException:
        close_canvases(canvases, opened)
        raise
    return canvases


cdef inline Py_ssize_t count_planes(const Canvas* canvases, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t i, planes = 0
    for i in range(count):
        planes += canvases[i].count
    return planes


cdef inline void clear(
    const Canvas* canvas, Py_ssize_t plane, Py_ssize_t top, Py_ssize_t bottom
) noexcept nogil:
    """Make a plane 0, of which rows `top` to `bottom` are painted next: these go into the caches.
    """
    cdef uint8_t* pixels = canvas.pixels + plane * canvas.height * canvas.width
    if canvas.before == FAR:
        stream_zeros(pixels, top * canvas.width)
        memset(pixels + top * canvas.width, 0, (bottom - top) * canvas.width)
        stream_zeros(pixels + bottom * canvas.width, (canvas.height - bottom) * canvas.width)
    elif canvas.before != CLEAR:
        memset(pixels, 0, canvas.height * canvas.width)
