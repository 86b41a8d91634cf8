// A pipe that no other thread's child inherits. GNU's headers declare `pipe2` only on request, which
// would change other declarations too.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#ifdef __APPLE__
// There is no `pipe2`; POSIX_SPAWN_CLOEXEC_DEFAULT keeps the ends from children.
static inline int create_private_pipe(int ends[2]) { return pipe(ends); }
#else
extern int pipe2(int ends[2], int flags);

/// Creates a pipe whose ends are closed in every program that is started. Returns 0, or -1 and `errno`.
static inline int create_private_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
#endif
