#pragma once
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// After stdio.h.
#include <jerror.h>
#include <jpeglib.h>

// libjpeg reports errors by a function that must not return, which Swift cannot write.

/// The pixels of a JPEG file, or the reason why there are none.
typedef struct {
  unsigned width;
  unsigned height;
  char message[JMSG_LENGTH_MAX];
} jpeg_picture;

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf exit;
  char *message;
} jpeg_failure;

static inline void jpeg_picture_fail(j_common_ptr jpeg) {
  jpeg_failure *failure = (jpeg_failure *)jpeg->err;
  jpeg->err->format_message(jpeg, failure->message);
  longjmp(failure->exit, 1);
}

/// Files that end too early are only warned of, and filled with gray.
static inline void jpeg_picture_warn(j_common_ptr jpeg, int level) {
  int code = jpeg->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE)) {
    jpeg_picture_fail(jpeg);
  }
}

/// A file of a few kilobytes can have so many scans that decoding takes hours.
static inline void jpeg_picture_watch(j_common_ptr jpeg) {
  if (jpeg->is_decompressor && ((j_decompress_ptr)jpeg)->input_scan_number > 200) {
    jpeg_failure *failure = (jpeg_failure *)jpeg->err;
    strncpy(failure->message, "it has more than 200 scans", JMSG_LENGTH_MAX - 1);
    longjmp(failure->exit, 1);
  }
}

/// Decodes a file to gray (1 channel) or RGB (3 channels), or, without `samples`, reads its size.
/// Returns 1, or 0 with a message in `picture`, which must come in zeroed. `samples` holds
/// `capacity` bytes.
static inline int jpeg_picture_decode(
    jpeg_picture *picture, const unsigned char *file, size_t count, int channels,
    unsigned char *samples, size_t capacity) {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_progress_mgr progress;
  jpeg_failure failure;
  jpeg.err = jpeg_std_error(&failure.base);
  failure.base.error_exit = jpeg_picture_fail;
  failure.base.emit_message = jpeg_picture_warn;
  failure.message = picture->message;
  if (setjmp(failure.exit)) {
    jpeg_destroy_decompress(&jpeg);
    return 0;
  }
  jpeg_create_decompress(&jpeg);
  memset(&progress, 0, sizeof progress);
  progress.progress_monitor = jpeg_picture_watch;
  jpeg.progress = &progress;
  jpeg_mem_src(&jpeg, file, (unsigned long)count);
  jpeg_read_header(&jpeg, TRUE);
  picture->width = jpeg.image_width;
  picture->height = jpeg.image_height;
  if (samples != NULL) {
    jpeg.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&jpeg);
    size_t row = (size_t)jpeg.output_width * (size_t)jpeg.output_components;
    if (jpeg.output_components != channels || capacity / jpeg.output_height < row) {
      strncpy(picture->message, "its size has changed", JMSG_LENGTH_MAX - 1);
      longjmp(failure.exit, 1);
    }
    while (jpeg.output_scanline < jpeg.output_height) {
      unsigned char *line = samples + jpeg.output_scanline * row;
      jpeg_read_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_decompress(&jpeg);
  }
  jpeg_destroy_decompress(&jpeg);
  return 1;
}
