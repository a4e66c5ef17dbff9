#include "common/base/test_points.h"

#ifdef MTP_TEST_POINTS

#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"

namespace mtp {
inline namespace with_test_points {
namespace {

// Above all that the contract will ever have.
constexpr int kFieldOfNextVersion = 15'000;

void Say(const std::string& text) {
  const std::string line = "test points: " + text + "\n";
  // At once and whole: the process may end with the next instruction.
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) std::abort();
}

[[noreturn]] void Refuse(const std::string& text) {
  Say(text);
  _exit(2);
}

size_t IndexOf(std::span<const std::string_view> names, std::string_view name,
               const char* variable) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return i;
  }
  Refuse(std::string(variable) + " names the unknown " + std::string(name));
}

// What the environment asks for; nobody changes it once the process runs.
struct Asked {
  std::array<bool, std::size(kPlantedBugs)> planted{};
  std::array<std::atomic<bool>, std::size(kPlantedBugs)> told{};
  size_t crash_at = std::size(kCrashPoints);
  std::atomic<int64_t> passes_left = 0;
  size_t pause_at = std::size(kCrashPoints);
  std::chrono::milliseconds pause{};
  std::atomic<int64_t> pauses_left = 20;
  const bool next_version = std::getenv("MTP_NEXT_VERSION") != nullptr;

  Asked() {
    Say(next_version ? "compiled in, as the next version" : "compiled in");
    if (const char* names = std::getenv("MTP_PLANTED"); names != nullptr) {
      Plant(names);
    }
    if (const char* place = std::getenv("MTP_CRASH_AT"); place != nullptr) {
      std::tie(crash_at, passes_left) = ReadPlace(place, "MTP_CRASH_AT");
    }
    if (const char* place = std::getenv("MTP_PAUSE_AT"); place != nullptr) {
      const auto [at, milliseconds] = ReadPlace(place, "MTP_PAUSE_AT");
      pause_at = at;
      pause = std::chrono::milliseconds(milliseconds);
    }
  }

  // One name, or several divided by commas.
  void Plant(std::string_view names) {
    while (!names.empty()) {
      const size_t comma = names.find(',');
      const std::string_view name = names.substr(0, comma);
      planted[IndexOf(kPlantedBugs, name, "MTP_PLANTED")] = true;
      Say("planted " + std::string(name));
      names.remove_prefix(comma == std::string_view::npos ? names.size()
                                                          : comma + 1);
    }
  }

  // A crash point, and the number behind it; 1, where there is none.
  static std::pair<size_t, int64_t> ReadPlace(std::string_view place,
                                              const char* variable) {
    if (place.empty()) return {std::size(kCrashPoints), 0};
    const size_t colon = place.find(':');
    const size_t index =
        IndexOf(kCrashPoints, place.substr(0, colon), variable);
    int64_t number = 1;
    if (colon != std::string_view::npos) {
      const char* end = place.data() + place.size();
      const auto [rest, error] =
          std::from_chars(place.data() + colon + 1, end, number);
      if (error != std::errc() || rest != end || number < 1)
        Refuse(std::string(variable) +
               " has no such number: " + std::string(place));
    }
    return {index, number};
  }
};

// Constants that are made before main ask, too.
Asked& Environment() {
  static Asked* const asked = new Asked();
  return *asked;
}

// Said, and refused, at the start and not at the first use.
[[maybe_unused]] const Asked& at_start = Environment();

}  // namespace

bool Planted(PlantedBug bug) {
  Asked& asked = Environment();
  if (!asked.planted[bug.index()]) return false;
  if (!asked.told[bug.index()].exchange(true))
    Say("reached " + std::string(kPlantedBugs[bug.index()]));
  return true;
}

void CrashPoint(CrashPlace place) {
  Asked& asked = Environment();
  if (asked.pause_at == place.index() && asked.pauses_left.fetch_sub(1) > 0) {
    Say("pause at " + std::string(kCrashPoints[place.index()]));
    std::this_thread::sleep_for(asked.pause);
  }
  if (asked.crash_at != place.index()) return;
  if (asked.passes_left.fetch_sub(1) != 1) return;
  Say("crash at " + std::string(kCrashPoints[place.index()]));
  kill(getpid(), SIGKILL);
  pause();
}

void SayAsNextVersion(google::protobuf::Message& message) {
  if (!Environment().next_version) return;
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (field->message_type() == nullptr || field->is_map()) continue;
    if (!field->is_repeated()) {
      SayAsNextVersion(*reflection.MutableMessage(&message, field));
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      SayAsNextVersion(*reflection.MutableRepeatedMessage(&message, field, i));
    }
  }
  reflection.MutableUnknownFields(&message)->AddLengthDelimited(
      kFieldOfNextVersion, "news");
}

void SayAsNextVersion(std::string& serialized) {
  if (!Environment().next_version) return;
  google::protobuf::UnknownFieldSet fields;
  fields.AddLengthDelimited(kFieldOfNextVersion, "news");
  std::string news;
  fields.SerializeToString(&news);
  serialized += news;
}

}  // namespace with_test_points
}  // namespace mtp

#endif  // MTP_TEST_POINTS
