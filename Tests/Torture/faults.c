// Makes calls of a program fail, for tests: loaded with LD_PRELOAD.
//
//   FAULT=CALL:NUMBER:ERROR:LAST   calls NUMBER to LAST of CALL fail with ERROR; LAST zero: all later
//   FAULT_FOLDER                   only calls on files below this folder count
//   FAULT_LOG                      gets one byte for each call that counts
//
// CALL is write, read, fsync, close, rename, link or create. ERROR zero makes a write or read short.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char call[16];
static long first, last;
static int error;
static const char *folder;
static int log_file = -1;
static atomic_long count;

__attribute__((constructor)) static void prepare(void) {
  const char *fault = getenv("FAULT");
  const char *log = getenv("FAULT_LOG");
  folder = getenv("FAULT_FOLDER");
  if (fault)
    sscanf(fault, "%15[a-z]:%ld:%d:%ld", call, &first, &error, &last);
  if (log)
    log_file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

// Whether this call must fail.
static int hits(const char *name, const char *path) {
  if (strcmp(name, call) || !folder || strncmp(path, folder, strlen(folder)))
    return 0;
  if (log_file >= 0)
    syscall(SYS_write, log_file, ".", 1);
  long number = atomic_fetch_add(&count, 1) + 1;
  return first > 0 && number >= first && (last == 0 || number <= last);
}

static int hits_file(const char *name, int file) {
  char link[32], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (length < 0)
    return 0;
  path[length] = 0;
  return hits(name, path);
}

static int fail(void) {
  errno = error;
  return -1;
}

ssize_t write(int file, const void *bytes, size_t size) {
  if (!hits_file("write", file))
    return syscall(SYS_write, file, bytes, size);
  return error ? fail() : syscall(SYS_write, file, bytes, (size + 1) / 2);
}

ssize_t read(int file, void *bytes, size_t size) {
  if (!hits_file("read", file))
    return syscall(SYS_read, file, bytes, size);
  return error ? fail() : syscall(SYS_read, file, bytes, (size + 1) / 2);
}

int fsync(int file) { return hits_file("fsync", file) ? fail() : syscall(SYS_fsync, file); }

// The file is closed even if the program is told otherwise, as Linux does it.
// Nothing is lost when a file that was only read cannot be closed.
static int can_lose_data(int file) {
  struct stat status;
  int is_read_only = (fcntl(file, F_GETFL) & O_ACCMODE) == O_RDONLY;
  return !is_read_only || (fstat(file, &status) == 0 && S_ISDIR(status.st_mode));
}

int close(int file) {
  int is_hit = can_lose_data(file) && hits_file("close", file);
  int result = syscall(SYS_close, file);
  return is_hit ? fail() : result;
}

int rename(const char *from, const char *to) {
  return hits("rename", to) ? fail() : syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat2(int old, const char *from, int new, const char *to, unsigned flags) {
  return hits("rename", to) ? fail() : syscall(SYS_renameat2, old, from, new, to, flags);
}

int link(const char *from, const char *to) {
  return hits("link", to) ? fail() : syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

static int open_file(const char *path, int flags, mode_t mode) {
  if (flags & O_CREAT && hits("create", path))
    return fail();
  return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open_file(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open_file(path, flags, mode);
}
