// Records what a process does to the files under one folder, so that a power cut at any moment can be played back.
// For LD_PRELOAD on Linux. AMBIT_CUTS_DIR: the folder, without a trailing slash. AMBIT_CUTS_LOG: where the records go.
//
// A record is a header and its payload. An inode names a file whatever it is called; names are payloads. Calls are made
// one at a time, so that the log has the order in which they happened. Memory maps are not seen: SQLite's -shm file is
// made anew by whoever opens the database.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// What is done, and what `offset` says of it.
enum {
  OPEN = 1,     // FLAG_*; the payload is the name
  WRITE = 2,    // where; the payload is what
  TRUNCATE = 3, // to how many bytes
  SYNC = 4,
  UNLINK = 5, // the payload is the name
  RENAME = 6, // the length of the first name; the payload is both
  MKDIR = 7,  // the payload is the name
};
enum { FLAG_EMPTIED = 1, FLAG_FOLDER = 2 };

struct header {
  uint32_t op;
  uint32_t length;
  uint64_t inode;
  uint64_t offset;
};

#define FDS_MAX 65536
static uint64_t inodes[FDS_MAX]; // of the open files under the folder; 0 for all others
static char folder[4096];
static int sink = -1;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))
#define BEGIN(result, call) \
  pthread_mutex_lock(&turn); \
  __typeof__(call) result = call; \
  int error = errno;
#define END(result) \
  pthread_mutex_unlock(&turn); \
  errno = error; \
  return result;

static void put(const void *bytes, size_t length) {
  for (size_t at = 0; at < length;) {
    long n = syscall(SYS_write, sink, (const char *)bytes + at, length - at);
    if (n < 0) abort(); // A log with a hole would show losses that never were.
    at += (size_t)n;
  }
}

static void record(uint32_t op, uint64_t inode, uint64_t offset, const void *bytes, size_t length) {
  struct header header = {op, (uint32_t)length, inode, offset};
  put(&header, sizeof header);
  put(bytes, length);
}

__attribute__((constructor)) static void begin(void) {
  const char *dir = getenv("AMBIT_CUTS_DIR"), *log = getenv("AMBIT_CUTS_LOG");
  if (dir == NULL || log == NULL) return;
  snprintf(folder, sizeof folder, "%s", dir);
  sink = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/** The part of a path below the folder ("" for the folder itself), or NULL. */
static const char *below(const char *path) {
  size_t length = strlen(folder);
  if (sink < 0 || path == NULL || strncmp(path, folder, length) != 0) return NULL;
  if (path[length] == 0) return "";
  return path[length] == '/' ? path + length + 1 : NULL;
}

static uint64_t inode_of(int fd) { return fd >= 0 && fd < FDS_MAX ? inodes[fd] : 0; }

static void opened(int fd, const char *path, int flags) {
  const char *name = below(path);
  struct stat about;
  if (fd < 0 || fd >= FDS_MAX || name == NULL || fstat(fd, &about) != 0) return;
  inodes[fd] = about.st_ino;
  uint64_t marks = (flags & O_TRUNC ? FLAG_EMPTIED : 0) | (S_ISDIR(about.st_mode) ? FLAG_FOLDER : 0);
  record(OPEN, about.st_ino, marks, name, strlen(name));
}

#define OPENS(name) \
  int name(const char *path, int flags, ...) { \
    va_list more; \
    va_start(more, flags); \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
    va_end(more); \
    BEGIN(fd, REAL(#name, int (*)(const char *, int, ...))(path, flags, mode)) \
    opened(fd, path, flags); \
    END(fd) \
  }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name) \
  int name(int at, const char *path, int flags, ...) { \
    va_list more; \
    va_start(more, flags); \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
    va_end(more); \
    BEGIN(fd, REAL(#name, int (*)(int, const char *, int, ...))(at, path, flags, mode)) \
    opened(fd, path, flags); \
    END(fd) \
  }
OPENS_AT(openat)
OPENS_AT(openat64)

int close(int fd) {
  BEGIN(result, REAL("close", int (*)(int))(fd))
  if (fd >= 0 && fd < FDS_MAX) inodes[fd] = 0;
  END(result)
}

static void written(int fd, uint64_t offset, const struct iovec *parts, ssize_t length) {
  for (uint64_t inode = inode_of(fd); inode != 0 && length > 0; parts++) {
    size_t here = parts->iov_len < (size_t)length ? parts->iov_len : (size_t)length;
    if (here > 0) record(WRITE, inode, offset, parts->iov_base, here);
    offset += here;
    length -= (ssize_t)here;
  }
}

/** Where a write began that has just ended: right also for files that are only appended to. */
static uint64_t began(int fd, ssize_t length) {
  return inode_of(fd) == 0 || length < 0 ? 0 : (uint64_t)(lseek(fd, 0, SEEK_CUR) - length);
}

ssize_t write(int fd, const void *bytes, size_t length) {
  struct iovec part = {(void *)bytes, length};
  BEGIN(done, REAL("write", ssize_t (*)(int, const void *, size_t))(fd, bytes, length))
  written(fd, began(fd, done), &part, done);
  END(done)
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  BEGIN(done, REAL("writev", ssize_t (*)(int, const struct iovec *, int))(fd, parts, count))
  written(fd, began(fd, done), parts, done);
  END(done)
}

#define WRITES_AT(name) \
  ssize_t name(int fd, const void *bytes, size_t length, off_t at) { \
    struct iovec part = {(void *)bytes, length}; \
    BEGIN(done, REAL(#name, ssize_t (*)(int, const void *, size_t, off_t))(fd, bytes, length, at)) \
    written(fd, (uint64_t)at, &part, done); \
    END(done) \
  }
WRITES_AT(pwrite)
WRITES_AT(pwrite64)

#define WRITES_PARTS_AT(name) \
  ssize_t name(int fd, const struct iovec *parts, int count, off_t at) { \
    BEGIN(done, REAL(#name, ssize_t (*)(int, const struct iovec *, int, off_t))(fd, parts, count, at)) \
    written(fd, (uint64_t)at, parts, done); \
    END(done) \
  }
WRITES_PARTS_AT(pwritev)
WRITES_PARTS_AT(pwritev64)

#define ON_FILE(name, parameters, arguments, type, op, offset) \
  int name parameters { \
    BEGIN(result, REAL(#name, type) arguments) \
    if (result == 0 && inode_of(fd) != 0) record(op, inode_of(fd), (uint64_t)(offset), "", 0); \
    END(result) \
  }
ON_FILE(ftruncate, (int fd, off_t to), (fd, to), int (*)(int, off_t), TRUNCATE, to)
ON_FILE(ftruncate64, (int fd, off_t to), (fd, to), int (*)(int, off_t), TRUNCATE, to)
ON_FILE(fsync, (int fd), (fd), int (*)(int), SYNC, 0)
ON_FILE(fdatasync, (int fd), (fd), int (*)(int), SYNC, 0)

#define ON_NAME(name, parameters, arguments, type, op) \
  int name parameters { \
    BEGIN(result, REAL(#name, type) arguments) \
    const char *it = result == 0 ? below(path) : NULL; \
    if (it != NULL) record(op, 0, 0, it, strlen(it)); \
    END(result) \
  }
ON_NAME(unlink, (const char *path), (path), int (*)(const char *), UNLINK)
ON_NAME(mkdir, (const char *path, mode_t mode), (path, mode), int (*)(const char *, mode_t), MKDIR)

int rename(const char *from, const char *to) {
  BEGIN(result, REAL("rename", int (*)(const char *, const char *))(from, to))
  const char *old = below(from), *new = below(to);
  if (result == 0 && old != NULL && new != NULL) {
    char both[8192];
    int length = snprintf(both, sizeof both, "%s%s", old, new);
    record(RENAME, 0, strlen(old), both, (size_t)length);
  }
  END(result)
}
