#include "cli/station/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/contract.h"
#include "cli/digest.h"
#include "cli/failures.h"
#include "cli/session.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"

namespace mtp::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kFormat = 1;
constexpr size_t kDigestDigits = 8;

std::string TimeOf(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone());
}

absl::StatusOr<absl::Time> ParseTime(const std::string& text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return absl::DataLossError(absl::StrCat("no time: ", text));
  }
  return time;
}

std::string Dump(const json& record) {
  return record.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Sealed(const std::string& record) {
  return absl::StrCat(Sha256Hex(record).substr(0, kDigestDigits), " ", record,
                      "\n");
}

// The record of a line without its line feed, if the line is whole.
std::optional<std::string_view> Unsealed(std::string_view line) {
  if (line.size() <= kDigestDigits + 1 || line[kDigestDigits] != ' ') {
    return std::nullopt;
  }
  const std::string_view record = line.substr(kDigestDigits + 1);
  if (Sha256Hex(record).compare(0, kDigestDigits,
                                line.substr(0, kDigestDigits)) != 0) {
    return std::nullopt;
  }
  return record;
}

// Whether any whole record follows the line that ends at `end`.
bool AnyWhole(std::string_view text, size_t end) {
  while (end != std::string_view::npos && end + 1 < text.size()) {
    const size_t begin = end + 1;
    end = text.find('\n', begin);
    if (Unsealed(text.substr(begin,
                             end == std::string_view::npos ? end : end - begin))
            .has_value()) {
      return true;
    }
  }
  return false;
}

bool IsFirst(std::string_view record) {
  const json first = json::parse(record, nullptr, false);
  return first.is_object() && first.contains("spool");
}

absl::StatusOr<std::shared_ptr<const google::protobuf::Message>> RequestOf(
    const std::string& method, const json& value) {
  ASSIGN_OR_RETURN(const MethodDescriptor* found, FindMethod(method));
  std::shared_ptr<google::protobuf::Message> request(
      google::protobuf::MessageFactory::generated_factory()
          ->GetPrototype(found->input_type())
          ->New());
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(Dump(value), request.get());
  if (!parsed.ok()) {
    return absl::DataLossError(absl::StrCat("no request of ", method, ": ",
                                            std::string(parsed.message())));
  }
  return request;
}

// What a spool begins with.
std::string FirstRecord(int64_t next) {
  return Dump(json{{"spool", kFormat}, {"next", next}});
}

std::string FirstLine(int64_t next) { return Sealed(FirstRecord(next)); }

absl::Status NoSpool(const std::string& path) {
  return UsageError(absl::StrCat(path, " is no spool; nothing was changed"));
}

absl::Status SystemError(const std::string& what, const std::string& path) {
  return UsageError(absl::StrCat(what, " ", path, ": ", std::strerror(errno)));
}

json EntryRecord(const Spool::Entry& entry) {
  return {
      {"entry", entry.number},
      {"at", TimeOf(entry.at)},
      {"request_id", entry.request_id},
      {"method", entry.method},
      {"request", json::parse(JsonOf(*entry.request, /*several_lines=*/false))},
      {"line", entry.line},
      {"caller", entry.caller},
      {"person", entry.person},
      {"alone", entry.alone}};
}

// The records that bring an entry to where it is.
std::string Records(const Spool::Entry& entry) {
  std::string text = Sealed(Dump(EntryRecord(entry)));
  if (entry.alone || !entry.batch.empty()) {
    const std::string at = TimeOf(entry.tried_at.value_or(entry.at));
    text += Sealed(Dump(entry.alone ? json{{"alone", entry.number}, {"at", at}}
                                    : json{{"batch", entry.batch},
                                           {"entries", {entry.number}},
                                           {"at", at}}));
  }
  if (entry.state == Spool::State::kRefused) {
    text += Sealed(Dump(json{{"refused", entry.number}, {"why", entry.why}}));
  }
  return text;
}

absl::Status SyncFolder(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  const int fd = open(folder.empty() ? "." : folder.c_str(),
                      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  return synced ? absl::OkStatus() : SystemError("cannot keep", folder);
}

}  // namespace

std::string Spool::DefaultPath() {
  const auto variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  std::string state = variable("XDG_STATE_HOME");
  if (state.empty()) state = absl::StrCat(variable("HOME"), "/.local/state");
  return absl::StrCat(state, "/mtpctl/spool");
}

absl::StatusOr<std::unique_ptr<Spool>> Spool::Open(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  std::error_code error;
  if (!folder.empty()) fs::create_directories(folder, error);
  // Before anything is made beside what is no spool.
  RETURN_IF_ERROR(Look(path).status());
  std::unique_ptr<Spool> spool(new Spool(path));
  RETURN_IF_ERROR(spool->Lock());
  ASSIGN_OR_RETURN(const size_t whole, spool->Load());
  spool->file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (spool->file_ < 0) return SystemError("cannot write", path);
  if (ftruncate(spool->file_, static_cast<off_t>(whole)) != 0) {
    return SystemError("cannot mend", path);
  }
  spool->size_ = whole;
  if (whole == 0) RETURN_IF_ERROR(spool->Begin());
  spool->Settled();
  return spool;
}

absl::StatusOr<std::unique_ptr<Spool>> Spool::Look(const std::string& path) {
  std::unique_ptr<Spool> spool(new Spool(path));
  RETURN_IF_ERROR(spool->Load().status());
  return spool;
}

Spool::~Spool() {
  if (file_ >= 0) close(file_);
  if (lock_ >= 0) close(lock_);
}

absl::Status Spool::Lock() {
  const std::string name = path_ + ".lock";
  lock_ = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) return SystemError("cannot write", name);
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    return UsageError(absl::StrCat(
        "another mtpctl uses ", path_,
        "; end it, or give this station a spool of its own with --spool"));
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> Spool::Load() {
  std::error_code error;
  if (!fs::exists(path_, error)) return 0;
  if (!fs::is_regular_file(path_, error)) {
    return UsageError(absl::StrCat(path_, " is no file"));
  }
  std::ifstream file(path_, std::ios::binary);
  if (!file) return SystemError("cannot read", path_);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  size_t whole = 0;
  for (int number = 1; whole < text.size(); ++number) {
    const size_t end = text.find('\n', whole);
    if (end == std::string::npos) {
      // What was cut off was never promised to anybody.
      if (whole > 0 || absl::StartsWith(FirstLine(next_), text)) return whole;
      return NoSpool(path_);
    }
    const std::string_view line =
        std::string_view(text).substr(whole, end - whole);
    const auto record = Unsealed(line);
    if (whole == 0 &&
        (record.has_value() ? !IsFirst(*record) : !AnyWhole(text, end))) {
      return NoSpool(path_);
    }
    absl::Status taken = record.has_value()
                             ? Take(*record)
                             : absl::DataLossError("its digest is wrong");
    if (!taken.ok()) {
      return absl::DataLossError(absl::StrCat(
          path_, " is damaged at line ", number, ": ",
          std::string(taken.message()), "; keep the file and ask for help"));
    }
    whole = end + 1;
  }
  return whole;
}

absl::Status Spool::Take(std::string_view text) {
  const json record = json::parse(text, nullptr, false);
  if (!record.is_object()) return absl::DataLossError("no JSON object");
  try {
    const auto entry = [&](const char* key) -> Entry* {
      const auto found = entries_.find(record.at(key).get<int64_t>());
      return found == entries_.end() ? nullptr : &found->second;
    };
    if (record.contains("entry")) return TakeEntry(&record);
    if (record.contains("spool")) {
      if (record.at("spool").get<int>() != kFormat) {
        return absl::DataLossError("a newer mtpctl wrote it");
      }
      next_ = record.at("next").get<int64_t>();
    } else if (record.contains("alone")) {
      if (Entry* one = entry("alone")) {
        one->alone = true;
        ASSIGN_OR_RETURN(one->tried_at,
                         ParseTime(record.at("at").get<std::string>()));
      }
    } else if (record.contains("batch")) {
      ASSIGN_OR_RETURN(const absl::Time at,
                       ParseTime(record.at("at").get<std::string>()));
      for (const int64_t number : record.at("entries")) {
        Entry& one = entries_.at(number);
        one.batch = record.at("batch").get<std::string>();
        one.tried_at = at;
      }
    } else if (record.contains("answered")) {
      const json& refused = record.at("refused");
      for (const Entry* one :
           OfBatch(record.at("answered").get<std::string>())) {
        const int64_t number = one->number;
        const std::string key = absl::StrCat(number);
        if (!refused.contains(key)) {
          entries_.erase(number);
        } else {
          SetRefused(entries_.at(number), refused.at(key).get<std::string>());
        }
      }
    } else if (record.contains("dissolved")) {
      for (auto& [number, one] : entries_) {
        if (one.batch != record.at("dissolved").get<std::string>()) continue;
        one.batch.clear();
        one.tried_at.reset();
        one.alone = true;
      }
    } else if (record.contains("done")) {
      entries_.erase(record.at("done").get<int64_t>());
    } else if (record.contains("dropped")) {
      entries_.erase(record.at("dropped").get<int64_t>());
    } else if (record.contains("refused")) {
      if (Entry* one = entry("refused")) {
        SetRefused(*one, record.at("why").get<std::string>());
      }
    } else if (record.contains("again")) {
      if (Entry* one = entry("again")) {
        one->state = State::kWaiting;
        one->alone = true;
        ASSIGN_OR_RETURN(one->tried_at,
                         ParseTime(record.at("at").get<std::string>()));
      }
    } else if (record.contains("told")) {
      told_ = std::max(told_, record.at("told").get<int64_t>());
    } else if (record.contains("name")) {
      names_[record.at("name").get<std::string>()] =
          record.at("id").get<std::string>();
    } else {
      return absl::DataLossError("an unknown record");
    }
  } catch (const std::exception& error) {
    return absl::DataLossError(error.what());
  }
  return absl::OkStatus();
}

void Spool::SetRefused(Entry& entry, std::string why) {
  entry.state = State::kRefused;
  entry.batch.clear();
  entry.why = std::move(why);
}

absl::Status Spool::TakeEntry(const void* raw) {
  const json& record = *static_cast<const json*>(raw);
  Entry entry;
  entry.number = record.at("entry").get<int64_t>();
  ASSIGN_OR_RETURN(entry.at, ParseTime(record.at("at").get<std::string>()));
  entry.request_id = record.at("request_id").get<std::string>();
  entry.method = record.at("method").get<std::string>();
  ASSIGN_OR_RETURN(entry.request,
                   RequestOf(entry.method, record.at("request")));
  entry.line = record.at("line").get<std::string>();
  entry.caller = record.at("caller").get<std::string>();
  entry.person = record.value("person", "");
  entry.alone = record.at("alone").get<bool>();
  if (entry.alone) entry.tried_at = entry.at;
  next_ = entry.number + 1;
  entries_.emplace(entry.number, std::move(entry));
  return absl::OkStatus();
}

absl::Status Spool::Begin() {
  RETURN_IF_ERROR(Write(FirstRecord(next_), /*to_disk=*/true));
  return SyncFolder(path_);
}

void Spool::Settled() {
  if (size_ <= anew_beyond_) return;
  // One that cannot be written anew goes on growing.
  StartAnew().IgnoreError();
  anew_beyond_ = std::max(kLargeBytes, 2 * size_);
}

absl::Status Spool::StartAnew() {
  std::string text = FirstLine(next_);
  for (const auto& [number, entry] : entries_) text += Records(entry);
  // The last of them need not be the newest there was.
  if (!entries_.empty()) text += FirstLine(next_);
  if (told_ > 0) text += Sealed(Dump(json{{"told", told_}}));
  for (const auto& [known, id] : names_)
    text += Sealed(Dump(json{{"name", known}, {"id", id}}));

  const std::string name = path_ + ".new";
  const int file =
      open(name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return SystemError("cannot write", name);
  absl::Status written = WriteAt(file, 0, text, /*to_disk=*/true);
  if (written.ok() && rename(name.c_str(), path_.c_str()) != 0)
    written = SystemError("cannot rename to", path_);
  if (!written.ok()) {
    close(file);
    unlink(name.c_str());
    return written;
  }
  close(file_);
  file_ = file;
  size_ = text.size();
  return SyncFolder(path_);
}

absl::Status Spool::TakenBack(absl::Status failed) {
  // Nothing half written stays before what comes later.
  if (ftruncate(file_, static_cast<off_t>(size_)) != 0) {
    close(file_);
    file_ = -1;
  }
  return failed;
}

absl::Status Spool::WriteAt(int file, size_t offset, const std::string& text,
                            bool to_disk) const {
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t count =
        pwrite(file, text.data() + written, text.size() - written,
               static_cast<off_t>(offset + written));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return SystemError("cannot write", path_);
    written += static_cast<size_t>(count);
  }
  if (to_disk && fdatasync(file) != 0) {
    return SystemError("cannot keep", path_);
  }
  return absl::OkStatus();
}

absl::Status Spool::Write(const std::string& record, bool to_disk) {
  const std::string line = Sealed(record);
  if (absl::Status written = WriteAt(file_, size_, line, to_disk);
      !written.ok()) {
    return TakenBack(std::move(written));
  }
  size_ += line.size();
  return absl::OkStatus();
}

const Spool::Entry* Spool::FirstWaiting() const {
  const auto found = std::find_if(
      entries_.begin(), entries_.end(),
      [](const auto& one) { return one.second.state == State::kWaiting; });
  return found == entries_.end() ? nullptr : &found->second;
}

int64_t Spool::CountOf(State state) const {
  return std::count_if(
      entries_.begin(), entries_.end(),
      [state](const auto& one) { return one.second.state == state; });
}

std::vector<const Spool::Entry*> Spool::OfBatch(
    const std::string& batch) const {
  std::vector<const Entry*> found;
  for (const auto& [number, entry] : entries_) {
    if (!batch.empty() && entry.batch == batch) found.push_back(&entry);
  }
  return found;
}

std::string Spool::IdOf(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? "" : found->second;
}

absl::StatusOr<int64_t> Spool::Append(NewEntry entry) {
  Entry kept{.number = next_,
             .at = entry.at,
             .request_id = std::move(entry.request_id),
             .method = std::move(entry.method),
             .request = std::move(entry.request),
             .line = std::move(entry.line),
             .caller = std::move(entry.caller),
             .person = std::move(entry.person),
             .alone = FirstWaiting() == nullptr};
  if (kept.alone) kept.tried_at = kept.at;
  RETURN_IF_ERROR(Write(Dump(EntryRecord(kept)), /*to_disk=*/true));
  entries_.emplace(next_, std::move(kept));
  return next_++;
}

absl::Status Spool::SendAlone(int64_t number, absl::Time now) {
  Entry& entry = entries_.at(number);
  if (entry.alone) return absl::OkStatus();
  RETURN_IF_ERROR(
      Write(Dump(json{{"alone", number}, {"at", TimeOf(now)}}), true));
  entry.alone = true;
  entry.tried_at = now;
  return absl::OkStatus();
}

absl::StatusOr<std::string> Spool::SendTogether(
    const std::vector<int64_t>& numbers, absl::Time now) {
  const std::string batch = Uuid::V7(now).ToString();
  RETURN_IF_ERROR(Write(
      Dump(json{{"batch", batch}, {"entries", numbers}, {"at", TimeOf(now)}}),
      true));
  for (const int64_t number : numbers) {
    entries_.at(number).batch = batch;
    entries_.at(number).tried_at = now;
  }
  return batch;
}

absl::Status Spool::Answered(const std::string& batch,
                             const std::map<int64_t, std::string>& refused) {
  json why = json::object();
  for (const auto& [number, text] : refused) why[absl::StrCat(number)] = text;
  // One record, so that a batch is never half answered: what is left of one
  // could not be asked for again under its id.
  const std::string record = Dump(json{{"answered", batch}, {"refused", why}});
  RETURN_IF_ERROR(Write(record, false));
  RETURN_IF_ERROR(Take(record));
  Settled();
  return absl::OkStatus();
}

absl::Status Spool::Dissolve(const std::string& batch) {
  const std::string record = Dump(json{{"dissolved", batch}});
  RETURN_IF_ERROR(Write(record, true));
  return Take(record);
}

absl::Status Spool::Done(int64_t number) {
  RETURN_IF_ERROR(Write(Dump(json{{"done", number}}), false));
  entries_.erase(number);
  Settled();
  return absl::OkStatus();
}

absl::Status Spool::Refused(int64_t number, const std::string& why) {
  const std::string record = Dump(json{{"refused", number}, {"why", why}});
  RETURN_IF_ERROR(Write(record, false));
  return Take(record);
}

absl::Status Spool::Again(int64_t number, absl::Time now) {
  const std::string record = Dump(json{{"again", number}, {"at", TimeOf(now)}});
  RETURN_IF_ERROR(Write(record, true));
  return Take(record);
}

absl::Status Spool::Drop(int64_t number, const std::string& why) {
  if (!entries_.at(number).batch.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("entry ", number,
                     " is in a batch that may have been done; send it first"));
  }
  RETURN_IF_ERROR(Write(Dump(json{{"dropped", number}, {"why", why}}), true));
  entries_.erase(number);
  Settled();
  return absl::OkStatus();
}

absl::Status Spool::Told(int64_t number) {
  if (number <= told_) return absl::OkStatus();
  // Lost, it is told once more.
  RETURN_IF_ERROR(Write(Dump(json{{"told", number}}), false));
  told_ = number;
  return absl::OkStatus();
}

absl::Status Spool::KeepName(const std::string& name, const std::string& id) {
  if (IdOf(name) == id) return absl::OkStatus();
  const std::string record = Dump(json{{"name", name}, {"id", id}});
  RETURN_IF_ERROR(Write(record, true));
  return Take(record);
}

}  // namespace mtp::cli
