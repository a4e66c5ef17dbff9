#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace spdlog {
class logger;
}

namespace mtp::telemetry {

enum class Level { kDebug, kInfo, kWarning, kError };

// `debug`, `info`, `warning`, `error`.
std::optional<Level> ParseLevel(std::string_view name);
std::string_view LevelName(Level level);

// One named value of a line. Borrows its text: it lives as long as the call
// that writes the line.
struct Field {
  std::string_view key;
  std::variant<std::string_view, int64_t, double, bool> value;

  Field(std::string_view k, std::string_view text) : key(k), value(text) {}
  Field(std::string_view k, const std::string& text)
      : key(k), value(std::string_view(text)) {}
  Field(std::string_view k, const char* text)
      : key(k), value(std::string_view(text)) {}
  Field(std::string_view k, bool flag) : key(k), value(flag) {}
  template <std::integral T>
  Field(std::string_view k, T number)
      : key(k), value(static_cast<int64_t>(number)) {}
  template <std::floating_point T>
  Field(std::string_view k, T number)
      : key(k), value(static_cast<double>(number)) {}
};

// `text` as a JSON string with its quotes; bytes that are not UTF-8 become
// U+FFFD.
void AppendJsonString(std::string& out, std::string_view text);

// Writes one JSON object per line: time, level, message, then the fields in
// the order given. Thread-safe. Writing never throws and never waits for the
// disk: lines are kept in memory, written out at least ten times a second, and
// dropped and counted when the reader is megabytes behind.
class Log {
 public:
  struct Options {
    Level level = Level::kInfo;
    // Empty: standard error.
    std::string file;
    // Appears in every line as `service` unless empty.
    std::string service;
    Clock clock = SystemClock();
  };

  static absl::StatusOr<std::unique_ptr<Log>> Open(Options options);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool Enabled(Level level) const {
    return level >= level_.load(std::memory_order_relaxed);
  }
  void SetLevel(Level level) { level_.store(level, std::memory_order_relaxed); }
  Level level() const { return level_.load(std::memory_order_relaxed); }

  void Write(Level level, std::string_view message,
             std::initializer_list<Field> fields = {}) noexcept;
  void Debug(std::string_view message,
             std::initializer_list<Field> fields = {}) noexcept {
    Write(Level::kDebug, message, fields);
  }
  void Info(std::string_view message,
            std::initializer_list<Field> fields = {}) noexcept {
    Write(Level::kInfo, message, fields);
  }
  void Warning(std::string_view message,
               std::initializer_list<Field> fields = {}) noexcept {
    Write(Level::kWarning, message, fields);
  }
  void Error(std::string_view message,
             std::initializer_list<Field> fields = {}) noexcept {
    Write(Level::kError, message, fields);
  }

  // Returns when everything written before is with the operating system.
  void Flush() noexcept;

 private:
  Log(Options options, std::shared_ptr<spdlog::logger> logger);

  const std::string service_;
  const Clock clock_;
  std::atomic<Level> level_;
  const std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace mtp::telemetry
