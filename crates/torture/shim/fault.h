// What is done at a call that counts: counted, logged, failed, killed or recorded. shim.cc says which calls those are.
#pragma once

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

namespace fault {


template <typename F> F next(const char* name) { return reinterpret_cast<F>(dlsym(RTLD_NEXT, name)); }

enum class Mode { off, count, kill, fail, trace };

struct Settings {
  Mode mode = Mode::off;
  std::string root;
  long at = 0;
  int error = 0;
  int log = -1;
};

inline const Settings& settings() {
  static const Settings* made = [] {
    auto* s = new Settings;
    const char* mode = getenv("CUTOVER_FAULT_MODE");
    const char* root = getenv("CUTOVER_FAULT_ROOT");
    if (mode == nullptr || root == nullptr) return s;
    s->root = root;
    const std::string name = mode;
    s->mode = name == "count" ? Mode::count : name == "kill" ? Mode::kill : name == "fail" ? Mode::fail : name == "trace" ? Mode::trace : Mode::off;
    if (const char* at = getenv("CUTOVER_FAULT_AT")) s->at = atol(at);
    if (const char* error = getenv("CUTOVER_FAULT_ERROR")) s->error = atoi(error);
    if (const char* log = getenv("CUTOVER_FAULT_LOG"))
      s->log = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
    return s;
  }();
  return *made;
}

inline std::string of_fd(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path);
  return length < 0 ? std::string() : std::string(path, static_cast<size_t>(length));
}

inline std::string of_path(int directory, const char* path) {
  if (path == nullptr) return {};
  if (path[0] == '/') return path;
  std::string base;
  if (directory == AT_FDCWD) {
    char buffer[PATH_MAX];
    if (getcwd(buffer, sizeof buffer) == nullptr) return {};
    base = buffer;
  } else {
    base = of_fd(directory);
  }
  return base + "/" + path;
}

inline bool counts(const std::string& path) {
  const std::string& root = settings().root;
  if (settings().mode == Mode::off || root.empty() || path.compare(0, root.size(), root) != 0) return false;
  return path.size() == root.size() || path[root.size()] == '/';
}

inline std::atomic<long> number{0};
inline std::mutex order;
// What a sync failed for: files, and directories as long as no name in them changed.
inline std::vector<std::string> unsynced;

inline void put(const std::string& bytes) {
  if (settings().log >= 0 && ::syscall(SYS_write, settings().log, bytes.data(), bytes.size()) != static_cast<long>(bytes.size())) abort();
}

// Whether the call is to fail instead of being made. Does not return when it is to kill.
inline bool fails(const char* name, const std::string& path, const std::string& second = {}) {
  const Settings& s = settings();
  if (s.mode == Mode::trace) return false;
  const long at = ++number;
  if (s.mode == Mode::kill && at == s.at) {
    ::syscall(SYS_kill, ::syscall(SYS_getpid), SIGKILL);
    for (;;) pause();
  }
  if (s.log >= 0) put(std::string(name) + " " + path + (second.empty() ? "" : " " + second) + "\n");
  return s.mode == Mode::fail && at == s.at;
}

struct Record {
  uint8_t kind;
  uint64_t inode = 0, second = 0, offset = 0;
  std::string path, other, bytes;
};

enum Kind : uint8_t { kCreate = 1, kMkdir, kSymlink, kWrite, kTruncate, kSync, kSyncDirectory, kRename, kExchange, kLink, kUnlink, kRmdir };

inline void record(const Record& r) {
  std::string out(1, static_cast<char>(r.kind));
  auto number = [&out](uint64_t value, size_t bytes) { out.append(reinterpret_cast<const char*>(&value), bytes); };
  number(r.inode, 8);
  number(r.second, 8);
  number(r.offset, 8);
  number(r.bytes.size(), 4);
  number(r.path.size(), 2);
  number(r.other.size(), 2);
  put(out + r.path + r.other + r.bytes);
}

inline uint64_t inode_of(int fd) {
  struct stat found;
  return fstat(fd, &found) == 0 ? found.st_ino : 0;
}

inline uint64_t inode_at(const std::string& path) {
  struct stat found;
  return lstat(path.c_str(), &found) == 0 ? found.st_ino : 0;
}

// A name changed: syncing its directory is no second try any more.
inline void changed(const std::string& path) {
  const std::lock_guard<std::mutex> one(order);
  const std::string parent = path.substr(0, path.rfind('/'));
  for (auto at = unsynced.begin(); at != unsynced.end();) at = *at == parent ? unsynced.erase(at) : at + 1;
}

// Makes a call that counts: it fails if it is to, and in a trace it is made alone and described by `describe` once it has succeeded.
template <typename R, typename Call, typename Describe>
R made(const char* name, const std::string& path, const std::string& second, Call call, Describe describe) {
  if (!counts(path) && !counts(second)) return call();
  if (fails(name, path, second)) {
    errno = settings().error;
    return static_cast<R>(-1);
  }
  if (settings().mode != Mode::trace) {
    const R result = call();
    if (settings().mode == Mode::fail && result >= 0) {
      changed(path);
      if (!second.empty()) changed(second);
    }
    return result;
  }
  const std::lock_guard<std::mutex> one(order);
  Record r{};
  r.path = path;
  r.other = second;
  const R result = call();
  const int error = errno;
  if (result >= 0 && describe(r, result)) record(r);
  errno = error;
  return result;
}

}  // namespace fault
