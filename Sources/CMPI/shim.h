#pragma once

// The constants of MPI are casts, which Swift does not import, and a handle is a pointer in Open MPI and a
// number in MPICH: these functions hide both.

#include <mpi.h>
#include <stdlib.h>

typedef struct {
  MPI_Request handle;
} lab_request;

/// Starts MPI for calls from this thread alone. Returns 0, or an error code of MPI.
static inline int lab_mpi_start(void) {
  int provided = 0, begun = 0;
  MPI_Initialized(&begun);
  if (begun) return MPI_SUCCESS;
  int error = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
  if (error != MPI_SUCCESS) return error;
  // Errors are returned, so that they can be told in words.
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  return provided >= MPI_THREAD_FUNNELED ? MPI_SUCCESS : MPI_ERR_OTHER;
}

static inline int lab_mpi_rank(void) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

static inline int lab_mpi_size(void) {
  int size = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

/// The number of this process among those that share its machine's memory.
static inline int lab_mpi_local_rank(void) {
  MPI_Comm local;
  int rank = 0;
  if (MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local) !=
      MPI_SUCCESS)
    return 0;
  MPI_Comm_rank(local, &rank);
  MPI_Comm_free(&local);
  return rank;
}

/// The largest name of a machine, with its final 0.
static const int lab_mpi_name_size = MPI_MAX_PROCESSOR_NAME;

/// Writes the names of all processes' machines, `lab_mpi_name_size` bytes each.
static inline int lab_mpi_hosts(char *names) {
  char name[MPI_MAX_PROCESSOR_NAME] = {0};
  int length = 0;
  int error = MPI_Get_processor_name(name, &length);
  if (error != MPI_SUCCESS) return error;
  return MPI_Allgather(name, MPI_MAX_PROCESSOR_NAME, MPI_CHAR, names, MPI_MAX_PROCESSOR_NAME,
                       MPI_CHAR, MPI_COMM_WORLD);
}

static inline int lab_mpi_send(const void *bytes, int count, int rank, int tag,
                               lab_request *request) {
  return MPI_Isend(bytes, count, MPI_BYTE, rank, tag, MPI_COMM_WORLD, &request->handle);
}

static inline int lab_mpi_receive(void *bytes, int count, int rank, int tag,
                                  lab_request *request) {
  return MPI_Irecv(bytes, count, MPI_BYTE, rank, tag, MPI_COMM_WORLD, &request->handle);
}

/// Whether a message has been sent or received, in `done`.
static inline int lab_mpi_test(lab_request *request, int *done) {
  return MPI_Test(&request->handle, done, MPI_STATUS_IGNORE);
}

/// Gives up a message that has not arrived.
static inline void lab_mpi_cancel(lab_request *request) {
  if (MPI_Cancel(&request->handle) == MPI_SUCCESS) MPI_Request_free(&request->handle);
}

/// What an error code means; `text` has room for `lab_mpi_error_size` bytes.
static const int lab_mpi_error_size = MPI_MAX_ERROR_STRING;
static inline void lab_mpi_error(int error, char *text) {
  int length = 0;
  if (MPI_Error_string(error, text, &length) != MPI_SUCCESS) text[0] = 0;
}

/// The library and its version, such as `Open MPI v4.1.4`.
static inline void lab_mpi_library(char *text) {
  int length = 0;
  if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) text[0] = 0;
}
static const int lab_mpi_library_size = MPI_MAX_LIBRARY_VERSION_STRING;

static inline void lab_mpi_abort(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

static inline void lab_mpi_stop(void) {
  int ended = 0;
  MPI_Finalized(&ended);
  if (!ended) MPI_Finalize();
}
