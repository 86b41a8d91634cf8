// What Swift cannot do with the C library's standard output: name the variable `stdout`, which Swift
// 6 takes for unsafe, give it a function that writes, and ask it for errors.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#if defined(__GLIBC__) && !defined(__USE_GNU)
// The headers are read without GNU's additions: with them `fd_set` differs from that of other
// modules, and the compiler refuses one of the two.
typedef struct {
  ssize_t (*read)(void *cookie, char *bytes, size_t count);
  ssize_t (*write)(void *cookie, const char *bytes, size_t count);
  int (*seek)(void *cookie, off_t *position, int whence);
  int (*close)(void *cookie);
} cookie_io_functions_t;
extern FILE *fopencookie(void *cookie, const char *mode, cookie_io_functions_t functions);
#endif

/// Writes bytes to standard error in frames, `ESC _ kind count ;` and then the bytes, none larger
/// than what a pipe takes in one piece. Returns 0, or -1 when nobody reads them any more.
static inline int send_frames(char kind, const char *bytes, size_t count) {
  char frame[PIPE_BUF];
  do {
    const size_t part = count < sizeof(frame) - 16 ? count : sizeof(frame) - 16;
    const int head = snprintf(frame, 16, "\x1b_%c%zu;", kind, part);
    memcpy(frame + head, bytes, part);
    for (size_t sent = 0; sent < head + part;) {
      const ssize_t result = write(STDERR_FILENO, frame + sent, head + part - sent);
      if (result >= 0) {
        sent += result;
      } else if (errno != EINTR) {
        return -1;
      }
    }
    bytes += part;
    count -= part;
  } while (count > 0);
  return 0;
}

/// Where an output stream of the program goes.
struct output_stream {
  /// 1 for standard output, 2 for standard error.
  int descriptor;
  /// Whether to write frames of kind `O` to standard error instead.
  int is_framed;
  /// Called with what was written; may be NULL.
  void (*tap)(int descriptor, const char *bytes, size_t count);
};

/// Writes all bytes to a descriptor. Returns 0, or -1 if that fails.
static inline int write_all(int descriptor, const char *bytes, size_t count) {
  for (size_t done = 0; done < count;) {
    const ssize_t result = write(descriptor, bytes + done, count - done);
    if (result >= 0) {
      done += result;
    } else if (errno != EINTR) {
      return -1;
    }
  }
  return 0;
}

static inline int write_output(struct output_stream *stream, const char *bytes, size_t count) {
  const int result = stream->is_framed ? send_frames('O', bytes, count)
                                       : write_all(stream->descriptor, bytes, count);
  if (stream->tap != NULL) stream->tap(stream->descriptor, bytes, count);
  return result;
}

#ifdef __APPLE__
static inline int write_cookie(void *cookie, const char *bytes, int count) {
  return write_output(cookie, bytes, count) == 0 ? count : -1;
}

static inline FILE *open_stream(struct output_stream *stream) {
  return funopen(stream, NULL, write_cookie, NULL, NULL);
}
#else
static inline ssize_t write_cookie(void *cookie, const char *bytes, size_t count) {
  return write_output(cookie, bytes, count) == 0 ? (ssize_t)count : -1;
}

static inline FILE *open_stream(struct output_stream *stream) {
  return fopencookie(stream, "w", (cookie_io_functions_t){.write = write_cookie});
}
#endif

/// From now on whatever is printed goes through `stream`, which must last: framed at once, so that
/// it keeps its order with what is written to standard error, otherwise line by line. Returns 0, or
/// -1 if there is no memory.
static inline int redirect_standard_output(struct output_stream *stream) {
  fflush(NULL);
  FILE *file = open_stream(stream);
  if (file == NULL) return -1;
  setvbuf(file, NULL, stream->is_framed ? _IONBF : _IOLBF, 0);
  stdout = file;
  return 0;
}

/// The same for what C code writes to standard error.
static inline int redirect_standard_error(struct output_stream *stream) {
  FILE *file = open_stream(stream);
  if (file == NULL) return -1;
  setvbuf(file, NULL, _IONBF, 0);
  stderr = file;
  return 0;
}

/// Prints bytes on standard output.
static inline void print_bytes(const char *bytes, size_t count) {
  fwrite(bytes, 1, count, stdout);
}

/// From now on each line that is printed is written at once, so that none is lost in a crash.
static inline void write_lines_at_once(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

/// Ends the program with exit status 1 and one line if something that was printed could not be
/// written.
static inline void fail_if_output_was_lost(void) {
  const int has_failed = ferror(stdout);
  if (fflush(stdout) == 0 && !has_failed) return;
  dprintf(STDERR_FILENO, "Error: cannot write standard output: %s\n",
          errno ? strerror(errno) : "it was closed or is full");
  _exit(EXIT_FAILURE);
}

/// Calls `fail_if_output_was_lost` when the program ends.
static inline int check_output_at_exit(void) { return atexit(fail_if_output_was_lost); }

/// Opens each of the descriptors 0, 1 and 2 that is closed, so that no file gets its number and what
/// is printed is not written into that file. Reading from it or writing to it fails.
static inline void fill_standard_descriptors(void) {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
    if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest free number is this one: those below it are open.
    if (open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
  }
}
