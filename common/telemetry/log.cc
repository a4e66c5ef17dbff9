#include "common/telemetry/log.h"

#include <fcntl.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace mtp::telemetry {
namespace {

// How long a line may stay in memory.
constexpr std::chrono::milliseconds kWriteInterval{100};
// So much waits for a slow reader before lines are dropped.
constexpr size_t kBufferLimit = 8 << 20;
// So much is written at once rather than at the next interval.
constexpr size_t kWriteAt = 64 << 10;

constexpr std::pair<Level, std::string_view> kLevels[] = {
    {Level::kDebug, "debug"},
    {Level::kInfo, "info"},
    {Level::kWarning, "warning"},
    {Level::kError, "error"}};

spdlog::level::level_enum SpdlogLevel(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// Collects lines and writes them to a file descriptor on a thread of its own.
class BufferedSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // Closes `fd` at the end if it is `owned`.
  BufferedSink(int fd, bool owned)
      : fd_(fd), owned_(owned), writer_([this] { WriteUntilStopped(); }) {}

  ~BufferedSink() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    writer_.join();
    if (owned_) ::close(fd_);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (waiting_.size() + message.payload.size() > kBufferLimit) {
      ++dropped_;
      return;
    }
    waiting_.append(message.payload.data(), message.payload.size());
    waiting_.push_back('\n');
    ++appended_;
    if (waiting_.size() >= kWriteAt || message.level >= spdlog::level::warn) {
      wake_.notify_all();
      hurry_ = true;
    }
  }

  // Called with mutex_ held by the base class.
  void flush_() override {
    const uint64_t target = appended_;
    hurry_ = true;
    wake_.notify_all();
    std::unique_lock lock(mutex_, std::adopt_lock);
    written_changed_.wait_for(lock, std::chrono::seconds(2),
                              [&] { return written_ >= target; });
    lock.release();
  }

 private:
  void WriteUntilStopped() {
    std::string batch;
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait_for(lock, kWriteInterval,
                     [this] { return stopping_ || hurry_; });
      hurry_ = false;
      batch.clear();
      batch.swap(waiting_);
      const uint64_t upto = appended_;
      const uint64_t dropped = std::exchange(dropped_, 0);
      const bool stopping = stopping_;
      lock.unlock();
      if (dropped > 0) {
        absl::StrAppend(&batch,
                        "{\"level\":\"warning\",\"message\":\"log lines were "
                        "dropped\",\"lines\":",
                        dropped, "}\n");
      }
      WriteOut(batch);
      lock.lock();
      written_ = upto;
      written_changed_.notify_all();
      if (stopping && waiting_.empty()) return;
    }
  }

  // What the descriptor does not take (disk full, reader gone) is lost: there
  // is nowhere to say so.
  void WriteOut(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n > 0) {
        bytes.remove_prefix(static_cast<size_t>(n));
      } else if (n < 0 && errno == EINTR) {
        continue;
      } else {
        return;
      }
    }
  }

  const int fd_;
  const bool owned_;
  // All below under the base class's mutex_.
  std::string waiting_;
  uint64_t appended_ = 0;
  uint64_t written_ = 0;
  uint64_t dropped_ = 0;
  bool hurry_ = false;
  bool stopping_ = false;
  std::condition_variable wake_;
  std::condition_variable written_changed_;
  std::thread writer_;
};

// RFC 3339 in UTC with microseconds. The part up to the second is remembered
// per thread: most lines share it with the one before.
void AppendTime(std::string& out, absl::Time time) {
  thread_local int64_t last_second = -1;
  thread_local char prefix[40];
  const int64_t micros = absl::ToUnixMicros(time);
  int64_t second = micros / 1'000'000;
  int64_t fraction = micros % 1'000'000;
  if (fraction < 0) {
    fraction += 1'000'000;
    --second;
  }
  if (second != last_second) {
    const absl::CivilSecond c =
        absl::ToCivilSecond(absl::FromUnixSeconds(second), absl::UTCTimeZone());
    std::snprintf(prefix, sizeof(prefix), "%04d-%02d-%02dT%02d:%02d:%02d.",
                  static_cast<int>(c.year() % 10000), c.month(), c.day(),
                  c.hour(), c.minute(), c.second());
    last_second = second;
  }
  out.append(prefix);
  char digits[7];
  for (int i = 5; i >= 0; --i) {
    digits[i] = static_cast<char>('0' + fraction % 10);
    fraction /= 10;
  }
  digits[6] = 'Z';
  out.append(digits, 7);
}

// The number of bytes of the UTF-8 character at the front of `text`; 0 when
// there is none.
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const auto continues = [&](size_t i) {
    return i < text.size() && (byte(i) & 0xc0) == 0x80;
  };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first < 0xf0) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xe0 && byte(1) < 0xa0) return 0;
    if (first == 0xed && byte(1) >= 0xa0) return 0;
    return 3;
  }
  if (first >= 0xf0 && first < 0xf5) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xf0 && byte(1) < 0x90) return 0;
    if (first == 0xf4 && byte(1) >= 0x90) return 0;
    return 4;
  }
  return 0;
}

void AppendValue(std::string& out, const Field& field) {
  char buffer[32];
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    AppendJsonString(out, *text);
  } else if (const auto* number = std::get_if<int64_t>(&field.value)) {
    const auto end = std::to_chars(buffer, buffer + sizeof(buffer), *number);
    out.append(buffer, end.ptr);
  } else if (const auto* flag = std::get_if<bool>(&field.value)) {
    out.append(*flag ? "true" : "false");
  } else {
    const double value = std::get<double>(field.value);
    if (!std::isfinite(value)) {
      out.append("null");
      return;
    }
    const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value,
                                   std::chars_format::general, 9);
    out.append(buffer, end.ptr);
  }
}

}  // namespace

std::optional<Level> ParseLevel(std::string_view name) {
  for (const auto& [level, text] : kLevels) {
    if (text == name) return level;
  }
  return std::nullopt;
}

std::string_view LevelName(Level level) {
  for (const auto& [candidate, text] : kLevels) {
    if (candidate == level) return text;
  }
  return "error";
}

void AppendJsonString(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  while (!text.empty()) {
    const uint8_t c = static_cast<uint8_t>(text[0]);
    size_t taken = 1;
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c));
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '\t') {
      out.append("\\t");
    } else if (c == '\r') {
      out.append("\\r");
    } else if (c < 0x20 || c == 0x7f) {
      out.append("\\u00");
      out.push_back(kHex[c >> 4]);
      out.push_back(kHex[c & 0xf]);
    } else if (const size_t length = Utf8Length(text); length > 0) {
      out.append(text.substr(0, length));
      taken = length;
    } else {
      out.append("\xef\xbf\xbd");
    }
    text.remove_prefix(taken);
  }
  out.push_back('"');
}

absl::StatusOr<std::unique_ptr<Log>> Log::Open(Options options) {
  int fd = STDERR_FILENO;
  if (!options.file.empty()) {
    fd = ::open(options.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                0640);
    if (fd < 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot write the log file ", options.file, ": ",
                       std::strerror(errno)));
    }
  }
  auto logger = std::make_shared<spdlog::logger>(
      "mtp", std::make_shared<BufferedSink>(fd, fd != STDERR_FILENO));
  logger->set_level(spdlog::level::trace);
  return std::unique_ptr<Log>(new Log(std::move(options), std::move(logger)));
}

Log::Log(Options options, std::shared_ptr<spdlog::logger> logger)
    : service_(std::move(options.service)),
      clock_(std::move(options.clock)),
      level_(options.level),
      logger_(std::move(logger)) {}

Log::~Log() = default;

void Log::Write(Level level, std::string_view message,
                std::initializer_list<Field> fields) noexcept {
  if (!Enabled(level)) return;
  try {
    thread_local std::string line;
    line.assign("{\"time\":\"");
    AppendTime(line, clock_());
    line.append("\",\"level\":\"").append(LevelName(level)).push_back('"');
    if (!service_.empty()) {
      line.append(",\"service\":");
      AppendJsonString(line, service_);
    }
    line.append(",\"message\":");
    AppendJsonString(line, message);
    for (const Field& field : fields) {
      line.push_back(',');
      AppendJsonString(line, field.key);
      line.push_back(':');
      AppendValue(line, field);
    }
    line.push_back('}');
    logger_->log(SpdlogLevel(level),
                 spdlog::string_view_t(line.data(), line.size()));
  } catch (...) {
    // Out of memory while logging: the call goes on without its line.
  }
}

void Log::Flush() noexcept {
  try {
    logger_->flush();
  } catch (...) {
    // What is not flushed now is written at the next interval.
  }
}

}  // namespace mtp::telemetry
