#pragma once
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

// libpng reports errors by longjmp, which Swift cannot catch; so the one call that writes lives here.

/// A PNG file in memory, or the reason why there is none.
typedef struct {
  unsigned char *bytes;  // to be freed by the caller, also after an error
  size_t count;
  size_t capacity;
  char message[128];
} png_file;

static inline void png_file_append(png_structp png, png_bytep bytes, size_t count) {
  png_file *file = (png_file *)png_get_io_ptr(png);
  if (file->capacity - file->count < count) {
    size_t capacity = 2 * file->capacity + count;
    unsigned char *grown = (unsigned char *)realloc(file->bytes, capacity);
    if (grown == NULL) png_error(png, "out of memory");
    file->bytes = grown;
    file->capacity = capacity;
  }
  memcpy(file->bytes + file->count, bytes, count);
  file->count += count;
}

static inline void png_file_flush(png_structp png) { (void)png; }

static inline void png_file_error(png_structp png, png_const_charp message) {
  png_file *file = (png_file *)png_get_error_ptr(png);
  strncpy(file->message, message, sizeof(file->message) - 1);
  png_longjmp(png, 1);
}

static inline void png_file_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

/// Encodes rows of 8-bit gray (1 channel), RGB (3) or RGB and opacity (4) samples; 0 pixels per metre: no pHYs.
/// Returns 1, or 0 with a message in `file`, which must come in zeroed.
static inline int png_file_encode(
    png_file *file, const unsigned char *samples, unsigned width, unsigned height,
    unsigned channels, unsigned pixels_per_metre) {
  png_infop info = NULL;
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, file, png_file_error, png_file_warning);
  if (png == NULL || (info = png_create_info_struct(png)) == NULL) {
    strncpy(file->message, "out of memory", sizeof(file->message) - 1);
    png_destroy_write_struct(&png, NULL);
    return 0;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_write_struct(&png, &info);
    return 0;
  }
  png_set_write_fn(png, file, png_file_append, png_file_flush);
  png_set_IHDR(
      png, info, width, height, 8,
      channels == 1   ? PNG_COLOR_TYPE_GRAY
      : channels == 3 ? PNG_COLOR_TYPE_RGB
                      : PNG_COLOR_TYPE_RGB_ALPHA,
      PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (pixels_per_metre > 0) {
    png_set_pHYs(png, info, pixels_per_metre, pixels_per_metre, PNG_RESOLUTION_METER);
  }
  png_write_info(png, info);
  for (unsigned row = 0; row < height; row++) {
    png_write_row(png, samples + (size_t)row * width * channels);
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return 1;
}
