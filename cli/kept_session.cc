#include "cli/kept_session.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/failures.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "google/protobuf/util/json_util.h"

namespace mtp::cli {
namespace {

using order::v1::SessionTokens;

// More than any call takes until its token is looked at.
constexpr absl::Duration kEnoughLeft = absl::Seconds(30);

std::string StateFolder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return state;
  const char* home = std::getenv("HOME");
  return absl::StrCat(home == nullptr ? "." : home, "/.local/state");
}

absl::Status Failed(const std::string& what) {
  return UsageError(absl::StrCat(what, ": ", std::strerror(errno)));
}

// A descriptor that is closed in the end, which also ends its lock.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  const int descriptor_;
};

absl::StatusOr<std::unique_ptr<File>> LockFile(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(),
                                      error);
  auto file = std::make_unique<File>(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file->get() < 0 || ::flock(file->get(), LOCK_EX) != 0) {
    return Failed("cannot lock " + path);
  }
  return file;
}

// What was typed does not show; whatever happens, the terminal is as it was.
class NoEcho {
 public:
  explicit NoEcho(int terminal) : terminal_(terminal) {
    was_ok_ = ::tcgetattr(terminal_, &before_) == 0;
    if (!was_ok_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(terminal_, TCSAFLUSH, &silent);
  }
  ~NoEcho() {
    if (was_ok_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  const int terminal_;
  termios before_{};
  bool was_ok_ = false;
};

absl::StatusOr<std::string> FirstLine(std::istream& in,
                                      const std::string& where) {
  std::string line;
  std::getline(in, line);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line.empty()) return UsageError("no password in " + where);
  return line;
}

}  // namespace

KeptSession::KeptSession(const std::string& address) {
  std::string name = address;
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' &&
        c != '-') {
      c = '_';
    }
  }
  path_ = absl::StrCat(StateFolder(), "/mtpctl/session-", name, ".json");
}

absl::StatusOr<std::optional<SessionTokens>> KeptSession::Read() const {
  std::ifstream file(path_);
  if (!file) return std::optional<SessionTokens>();
  const std::string text((std::istreambuf_iterator<char>(file)),
                         std::istreambuf_iterator<char>());
  SessionTokens tokens;
  if (!google::protobuf::util::JsonStringToMessage(text, &tokens).ok()) {
    return UsageError(absl::StrCat(path_, " holds no session; remove it"));
  }
  return std::optional(std::move(tokens));
}

absl::Status KeptSession::Write(const SessionTokens& tokens) const {
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(tokens, &json).ok()) {
    return absl::InternalError("the session cannot be written");
  }
  const std::filesystem::path path(path_);
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  const std::string fresh = path_ + ".new";
  {
    ::unlink(fresh.c_str());
    const File file(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.get() < 0) return Failed("cannot write " + fresh);
    const char* data = json.data();
    for (size_t left = json.size(); left > 0;) {
      const ssize_t written = ::write(file.get(), data, left);
      if (written < 0) return Failed("cannot write " + fresh);
      data += written;
      left -= static_cast<size_t>(written);
    }
    ::fsync(file.get());
  }
  if (::rename(fresh.c_str(), path_.c_str()) != 0) {
    return Failed("cannot write " + path_);
  }
  return absl::OkStatus();
}

absl::Status KeptSession::Remove() const {
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT) {
    return Failed("cannot remove " + path_);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<SessionTokens>> KeptSession::Fresh(
    absl::Time now, const Refresh& refresh, bool in_any_case) const {
  const auto good = [&](const std::optional<SessionTokens>& tokens) {
    return !tokens.has_value() ||
           FromProto(tokens->access_expires_at()) > now + kEnoughLeft;
  };
  ASSIGN_OR_RETURN(std::optional<SessionTokens> tokens, Read());
  if (!in_any_case && good(tokens)) return tokens;
  const auto lock = LockFile(path_ + ".lock");
  if (!lock.ok()) return lock.status();
  // Whoever had the lock may have done it.
  ASSIGN_OR_RETURN(tokens, Read());
  if (!tokens.has_value() || (!in_any_case && good(tokens))) return tokens;
  ASSIGN_OR_RETURN(SessionTokens renewed, refresh(tokens->refresh_token()));
  RETURN_IF_ERROR(Write(renewed));
  return std::optional(std::move(renewed));
}

absl::StatusOr<std::string> ReadPassword(const std::string& file,
                                         const std::string& prompt) {
  if (!file.empty() && file != "-") {
    std::ifstream in(file);
    if (!in) return UsageError("cannot read " + file);
    return FirstLine(in, file);
  }
  if (file == "-" || ::isatty(STDIN_FILENO) == 0) {
    return FirstLine(std::cin, "standard input");
  }
  std::fprintf(stderr, "%s: ", prompt.c_str());
  std::fflush(stderr);
  const NoEcho silent(STDIN_FILENO);
  absl::StatusOr<std::string> password = FirstLine(std::cin, "what was typed");
  std::fprintf(stderr, "\n");
  return password;
}

}  // namespace mtp::cli
