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

#ifdef __APPLE__
static inline int send_output(void *cookie, const char *bytes, int count) {
  return send_frames('O', bytes, count) == 0 ? count : -1;
}

static inline FILE *framed_output(void) { return funopen(NULL, NULL, send_output, NULL, NULL); }
#else
static inline ssize_t send_output(void *cookie, const char *bytes, size_t count) {
  return send_frames('O', bytes, count) == 0 ? (ssize_t)count : -1;
}

static inline FILE *framed_output(void) {
  return fopencookie(NULL, "w", (cookie_io_functions_t){.write = send_output});
}
#endif

/// From now on whatever is printed goes to standard error at once, in frames of kind `O`: in one
/// pipe it keeps its order with what is written to standard error itself.
static inline int frame_standard_output(void) {
  fflush(NULL);
  FILE *framed = framed_output();
  if (framed == NULL) return -1;
  setvbuf(framed, NULL, _IONBF, 0);
  stdout = framed;
  return 0;
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
