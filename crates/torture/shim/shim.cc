// Preloaded into a process to count, log, fail or kill at calls that change the file system. Production code knows nothing of it.
//
//   CUTOVER_FAULT_ROOT   only calls on paths below this directory count (as the kernel names it, without links)
//   CUTOVER_FAULT_MODE   count | kill | fail | trace
//   CUTOVER_FAULT_AT     kill, fail: the number of the call, from 1: SIGKILL before it, or it fails instead of being made
//   CUTOVER_FAULT_ERROR  fail: the errno; 0 makes a write write half of its bytes
//   CUTOVER_FAULT_LOG    count, fail: a line for each call that counts: its name and its path. A sync of a file whose sync has failed,
//                        or of a directory in which nothing was named since, is logged as `resync`. trace: records, see below
//
// Calls count in all threads. Those that only read do not count, nor does opening for reading. The C library's own use of system calls
// (stdio) cannot be seen here; comparing with strace shows that none of it is on the way.
//
// A record of a trace is: u8 kind, u64 inode, u64 second inode (of a directory, or the file that was replaced), u64 offset, u32 bytes,
// u16 and u16 lengths of two paths, the paths, the bytes. Calls are made one at a time while a trace is written, so that its order is theirs.
#include "fault.h"

namespace {

using namespace fault;

bool ignored(Record&, long) { return false; }

int opened(const char* name, int directory, const char* path, int flags, mode_t mode) {
  auto call = [&] { return static_cast<int>(::syscall(SYS_openat, directory, path, flags, mode)); };
  if ((flags & (O_CREAT | O_TRUNC)) == 0 && (flags & O_ACCMODE) == O_RDONLY) return call();
  const std::string full = of_path(directory, path);
  const bool fresh = settings().mode == Mode::trace && inode_at(full) == 0;
  return made<int>(name, full, "", call, [&](Record& r, long fd) {
    r.inode = inode_of(static_cast<int>(fd));
    r.kind = fresh ? kCreate : kTruncate;
    return fresh || (flags & O_TRUNC) != 0;
  });
}

ssize_t written(const char* name, int fd, const std::string& bytes, off_t offset, ssize_t (*call)(int, const void*, size_t, off_t)) {
  const std::string path = of_fd(fd);
  if (!counts(path)) return call(fd, bytes.data(), bytes.size(), offset);
  if (fails(name, path)) {
    errno = settings().error;
    if (settings().error != 0) return -1;
    return call(fd, bytes.data(), (bytes.size() + 1) / 2, offset);
  }
  if (settings().mode != Mode::trace) return call(fd, bytes.data(), bytes.size(), offset);
  const std::lock_guard<std::mutex> one(order);
  const bool append = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
  const off_t at = offset >= 0 ? offset : lseek(fd, 0, append ? SEEK_END : SEEK_CUR);
  const ssize_t count = call(fd, bytes.data(), bytes.size(), offset);
  if (count > 0) {
    Record r{};
    r.kind = kWrite;
    r.inode = inode_of(fd);
    r.offset = static_cast<uint64_t>(at);
    r.path = path;
    r.bytes = bytes.substr(0, static_cast<size_t>(count));
    record(r);
  }
  return count;
}

ssize_t plain_write(int fd, const void* bytes, size_t count, off_t) { return ::syscall(SYS_write, fd, bytes, count); }
ssize_t positioned_write(int fd, const void* bytes, size_t count, off_t at) { return ::syscall(SYS_pwrite64, fd, bytes, count, at); }

int synced(const char* name, int fd, long system) {
  const std::string path = of_fd(fd);
  auto call = [&] { return static_cast<int>(::syscall(system, fd)); };
  if (!counts(path)) return call();
  struct stat found;
  if (fstat(fd, &found) != 0) return call();
  for (const auto& failed : unsynced)
    if (failed == path) put("resync " + path + "\n");
  const int result = made<int>(name, path, "", call, [&](Record& r, long) {
    r.inode = found.st_ino;
    r.kind = S_ISDIR(found.st_mode) ? kSyncDirectory : kSync;
    return true;
  });
  if (result < 0) {
    const std::lock_guard<std::mutex> one(order);
    unsynced.push_back(path);
  }
  return result;
}

int renamed(const char* name, int from_at, const char* from, int to_at, const char* to, unsigned flags) {
  const std::string source = of_path(from_at, from), target = of_path(to_at, to);
  auto call = [&] { return static_cast<int>(::syscall(SYS_renameat2, from_at, from, to_at, to, flags)); };
  const uint64_t replaced = settings().mode == Mode::trace ? inode_at(target) : 0;
  return made<int>(name, source, target, call, [&](Record& r, long) {
    r.kind = (flags & 2) != 0 ? kExchange : kRename;
    r.inode = inode_at(target);
    r.second = replaced;
    return true;
  });
}

int unlinked(const char* name, int directory, const char* path, int flags) {
  const std::string full = of_path(directory, path);
  auto call = [&] { return static_cast<int>(::syscall(SYS_unlinkat, directory, path, flags)); };
  return made<int>(name, full, "", call, [&](Record& r, long) {
    r.kind = (flags & AT_REMOVEDIR) != 0 ? kRmdir : kUnlink;
    return true;
  });
}

std::string joined(const struct iovec* parts, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  return bytes;
}

mode_t mode_of(int flags, va_list arguments) { return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0; }

}  // namespace

#define OPENS(name)                                                      \
  int name(const char* path, int flags, ...) {                           \
    va_list arguments;                                                   \
    va_start(arguments, flags);                                          \
    const mode_t mode = mode_of(flags, arguments);                       \
    va_end(arguments);                                                   \
    return opened("open", AT_FDCWD, path, flags, mode);                  \
  }
#define OPENS_AT(name)                                                   \
  int name(int directory, const char* path, int flags, ...) {            \
    va_list arguments;                                                   \
    va_start(arguments, flags);                                          \
    const mode_t mode = mode_of(flags, arguments);                       \
    va_end(arguments);                                                   \
    return opened("open", directory, path, flags, mode);                 \
  }

extern "C" {

OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)
int creat(const char* path, mode_t mode) { return opened("open", AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char* path, mode_t mode) { return opened("open", AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

ssize_t write(int fd, const void* bytes, size_t count) {
  if (settings().mode == Mode::off) return plain_write(fd, bytes, count, 0);
  return written("write", fd, std::string(static_cast<const char*>(bytes), count), -1, plain_write);
}
ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) {
  return written("pwrite64", fd, std::string(static_cast<const char*>(bytes), count), at, positioned_write);
}
ssize_t pwrite64(int fd, const void* bytes, size_t count, off_t at) { return pwrite(fd, bytes, count, at); }
ssize_t writev(int fd, const struct iovec* parts, int count) { return written("writev", fd, joined(parts, count), -1, plain_write); }
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t at) {
  return written("pwritev", fd, joined(parts, count), at, positioned_write);
}

int fsync(int fd) { return synced("fsync", fd, SYS_fsync); }
int fdatasync(int fd) { return synced("fdatasync", fd, SYS_fdatasync); }
int syncfs(int fd) { return synced("syncfs", fd, SYS_syncfs); }

int ftruncate(int fd, off_t length) {
  auto call = [&] { return static_cast<int>(::syscall(SYS_ftruncate, fd, length)); };
  return made<int>("ftruncate", of_fd(fd), "", call, [&](Record& r, long) {
    r.kind = kTruncate;
    r.inode = inode_of(fd);
    r.offset = static_cast<uint64_t>(length);
    return true;
  });
}
int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }
int fallocate(int fd, int mode, off_t at, off_t length) {
  auto call = [&] { return static_cast<int>(::syscall(SYS_fallocate, fd, mode, at, length)); };
  return made<int>("fallocate", of_fd(fd), "", call, ignored);
}
int fallocate64(int fd, int mode, off_t at, off_t length) { return fallocate(fd, mode, at, length); }
int posix_fallocate(int fd, off_t at, off_t length) { return fallocate(fd, 0, at, length) == 0 ? 0 : errno; }
int posix_fallocate64(int fd, off_t at, off_t length) { return posix_fallocate(fd, at, length); }

int rename(const char* from, const char* to) { return renamed("rename", AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_at, const char* from, int to_at, const char* to) { return renamed("rename", from_at, from, to_at, to, 0); }
int renameat2(int from_at, const char* from, int to_at, const char* to, unsigned flags) {
  return renamed("rename", from_at, from, to_at, to, flags);
}

int linkat(int from_at, const char* from, int to_at, const char* to, int flags) {
  const std::string source = of_path(from_at, from), target = of_path(to_at, to);
  auto call = [&] { return static_cast<int>(::syscall(SYS_linkat, from_at, from, to_at, to, flags)); };
  return made<int>("link", source, target, call, [&](Record& r, long) {
    r.kind = kLink;
    r.inode = inode_at(target);
    return true;
  });
}
int link(const char* from, const char* to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int symlinkat(const char* content, int directory, const char* path) {
  const std::string full = of_path(directory, path);
  auto call = [&] { return static_cast<int>(::syscall(SYS_symlinkat, content, directory, path)); };
  return made<int>("symlink", full, "", call, [&](Record& r, long) {
    r.kind = kSymlink;
    r.inode = inode_at(full);
    r.bytes = content;
    return true;
  });
}
int symlink(const char* content, const char* path) { return symlinkat(content, AT_FDCWD, path); }

int unlink(const char* path) { return unlinked("unlink", AT_FDCWD, path, 0); }
int unlinkat(int directory, const char* path, int flags) { return unlinked("unlink", directory, path, flags); }
int rmdir(const char* path) { return unlinked("unlink", AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char* path) {
  struct stat found;
  return lstat(path, &found) == 0 && S_ISDIR(found.st_mode) ? rmdir(path) : unlink(path);
}

int mkdirat(int directory, const char* path, mode_t mode) {
  const std::string full = of_path(directory, path);
  auto call = [&] { return static_cast<int>(::syscall(SYS_mkdirat, directory, path, mode)); };
  return made<int>("mkdir", full, "", call, [&](Record& r, long) {
    r.kind = kMkdir;
    r.inode = inode_at(full);
    return true;
  });
}
int mkdir(const char* path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int fchmod(int fd, mode_t mode) {
  auto call = [&] { return static_cast<int>(::syscall(SYS_fchmod, fd, mode)); };
  return made<int>("chmod", of_fd(fd), "", call, ignored);
}
int fchmodat(int directory, const char* path, mode_t mode, int flags) {
  auto call = [&] { return next<int (*)(int, const char*, mode_t, int)>("fchmodat")(directory, path, mode, flags); };
  return made<int>("chmod", of_path(directory, path), "", call, ignored);
}
int chmod(const char* path, mode_t mode) {
  auto call = [&] { return static_cast<int>(::syscall(SYS_fchmodat, AT_FDCWD, path, mode)); };
  return made<int>("chmod", of_path(AT_FDCWD, path), "", call, ignored);
}
int utimensat(int directory, const char* path, const struct timespec times[2], int flags) {
  auto call = [&] { return static_cast<int>(::syscall(SYS_utimensat, directory, path, times, flags)); };
  return made<int>("utimensat", of_path(directory, path), "", call, ignored);
}
int futimens(int fd, const struct timespec times[2]) {
  auto call = [&] { return static_cast<int>(::syscall(SYS_utimensat, fd, nullptr, times, 0)); };
  return made<int>("utimensat", of_fd(fd), "", call, ignored);
}

int flock(int fd, int operation) {
  auto call = [&] { return static_cast<int>(::syscall(SYS_flock, fd, operation)); };
  return made<int>("flock", of_fd(fd), "", call, ignored);
}

ssize_t copy_file_range(int in, off64_t* in_at, int out, off64_t* out_at, size_t count, unsigned flags) {
  auto call = [&] { return static_cast<ssize_t>(::syscall(SYS_copy_file_range, in, in_at, out, out_at, count, flags)); };
  return made<ssize_t>("copy_file_range", of_fd(out), "", call, ignored);
}
ssize_t sendfile64(int out, int in, off64_t* at, size_t count) {
  auto call = [&] { return static_cast<ssize_t>(::syscall(SYS_sendfile, out, in, at, count)); };
  return made<ssize_t>("sendfile", of_fd(out), "", call, ignored);
}

int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  auto call = [&] { return static_cast<int>(::syscall(SYS_ioctl, fd, request, argument)); };
  if (request != FICLONE) return call();
  return made<int>("ioctl", of_fd(fd), "", call, ignored);
}

}
