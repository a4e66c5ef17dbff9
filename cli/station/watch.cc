#include "cli/station/watch.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/failures.h"
#include "cli/fields.h"
#include "cli/station/spool_sender.h"
#include "cli/table.h"
#include "cli/weights.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "nlohmann/json.hpp"

namespace mtp::cli {
namespace {

using google::protobuf::Message;
using nlohmann::json;
using processing::v1::Bag;

// A person stands at the station.
constexpr absl::Duration kLongestCall = absl::Seconds(10);
constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kLongestPause = absl::Seconds(3);
// How soon the reader sees that it shall end.
constexpr int kPollMillis = 100;
// Of those told before, that a start repeats.
constexpr int64_t kNewestTold = 5;
// A line that never ends is none.
constexpr size_t kLongestLine = 4096;
// So much is told of it.
constexpr size_t kLineTold = 60;

std::string BagLine(const Bag& bag) {
  return absl::StrCat(bag.barcode(), "  ", bag.source_code(), " bag ",
                      bag.bag_number(), ", ", Kilograms(bag.net_grams()),
                      " at ", bag.location());
}

// One line on what a call brought.
std::string AnswerText(const Message& message) {
  if (const auto* in =
          dynamic_cast<const processing::v1::ReceiveBagResponse*>(&message)) {
    return BagLine(in->bag());
  }
  if (const auto* moved =
          dynamic_cast<const processing::v1::MoveBagResponse*>(&message)) {
    return BagLine(moved->bag());
  }
  if (const auto* scanned =
          dynamic_cast<const processing::v1::ScanBagResponse*>(&message)) {
    const Bag& bag = scanned->scan().bag();
    return absl::StrCat(
        BagLine(bag), ", ", Kilograms(bag.remaining_grams()), " remain, ",
        EnumText(bag.status()), ", ", EnumText(scanned->scan().clearance()),
        bag.on_hold() ? ", ON HOLD" : "", "  ", bag.source_name());
  }
  if (const auto* batch =
          dynamic_cast<const processing::v1::AllocateToBatchResponse*>(
              &message)) {
    return absl::StrCat(batch->bag().barcode(), "  ",
                        Kilograms(batch->allocation().grams()), " into ",
                        batch->allocation().target_name(), ", ",
                        Kilograms(batch->bag().remaining_grams()), " left");
  }
  if (const auto* shipment =
          dynamic_cast<const processing::v1::AllocateToShipmentResponse*>(
              &message)) {
    return absl::StrCat(shipment->bag().barcode(), "  ",
                        Kilograms(shipment->allocation().grams()), " into ",
                        KeyText(shipment->shipment().shipment()),
                        ", which still needs ",
                        Kilograms(shipment->shipment().missing_grams()));
  }
  return "";
}

std::string WaitingText(int64_t waiting) {
  return absl::StrCat(waiting, waiting == 1 ? " waits" : " wait");
}

std::string Clocked(absl::Time at) {
  return absl::FormatTime("%H:%M:%S", at, absl::LocalTimeZone());
}

// A line for people, or an object for programs.
void Tell(Session& session, const char* what, absl::Time at,
          const std::string& text, json facts) {
  if (session.settings().json) {
    facts["state"] = what;
    facts["at"] = absl::FormatTime(absl::RFC3339_full, at, absl::UTCTimeZone());
    session.out() << facts.dump(-1, ' ', false, json::error_handler_t::replace);
  } else {
    session.out() << what << std::string(6 - std::string(what).size(), ' ')
                  << Clocked(at) << "  " << Printable(text);
  }
  session.out() << std::endl;
}

SpoolSender MakeSender(Session& session, Spool& spool,
                       std::function<absl::Status(Message&, Message&)> call,
                       std::function<void(const Spool::Entry&,
                                          const absl::Status&, const Message*)>
                           answered) {
  session.settings().timeout =
      std::min(session.settings().timeout, kLongestCall);
  return SpoolSender(spool,
                     {.call = std::move(call),
                      .answered = std::move(answered),
                      .caller = [&session](const MethodDescriptor& method) {
                        return session.CallerOf(method);
                      }});
}

// What a person at the station needs to know of it.
std::string Briefly(const absl::Status& why) {
  switch (why.code()) {
    case absl::StatusCode::kUnavailable:
      return "nobody answers";
    case absl::StatusCode::kDeadlineExceeded:
      return "no answer in time";
    case absl::StatusCode::kResourceExhausted:
      return "the service is busy";
    default:
      return OneLine(why);
  }
}

absl::Status StillWaiting(Session& session, const Spool& spool,
                          const absl::Status& why) {
  session.ForgetCall();
  const absl::StatusCode code =
      why.ok() || ExitCodeOf(why) == kFault || ExitCodeOf(why) == kUsage
          ? absl::StatusCode::kUnavailable
          : why.code();
  return absl::Status(
      code, absl::StrCat(spool.CountOf(Spool::State::kWaiting), " wait in ",
                         spool.path(), " (", Briefly(why),
                         "); `mtpctl spool send` sends them when it may"));
}

// The watching of one input: a thread that reads and keeps, and this one, that
// sends and tells.
class Watcher {
 public:
  // `caller` is who makes the calls, `person` the same in people's words.
  Watcher(Session& session, Spool& spool, const Station& station,
          std::string caller, std::string person)
      : session_(session),
        spool_(spool),
        station_(station),
        caller_(std::move(caller)),
        person_(std::move(person)),
        sender_(MakeSender(
            session, spool,
            [this](Message& request, Message& response) {
              lock_->unlock();
              const absl::Status status = session_.Call(request, response);
              lock_->lock();
              return status;
            },
            [this](const Spool::Entry& entry, const absl::Status& status,
                   const Message* response) {
              if (!status.ok()) refused_ = true;
              TellAnswer(session_, entry, entry.number <= told_, status,
                         response);
            })) {
    // What an earlier run kept was told at the start.
    if (!spool_.entries().empty()) told_ = spool_.entries().rbegin()->first;
  }

  absl::Status Run(int input) {
    std::thread reader([this, input] { Read(input); });
    const absl::Status status = SendAndTell();
    stop_ = true;
    reader.join();
    return status;
  }

 private:
  // Something to say that is no answer.
  struct Note {
    absl::Time at;
    std::string what;
    std::string line;
    std::string text;
  };

  void Read(int input);
  void Refuse(const std::string& line);
  void TakeLine(const std::string& text);
  void TakeWeighed(StationLine line, const std::string& text);
  // `text` is the whole entry, `read` the line that completed it. False if
  // nothing came of it, which is said.
  bool Keep(const StationLine& line, const std::string& text,
            const std::string& read);
  void Say(const char* what, absl::Time at, const std::string& line,
           std::string text) {
    notes_.push_back({at, what, line, std::move(text)});
  }

  absl::Status SendAndTell();
  void TellNotes();
  absl::Status TellKept();
  bool Waiting() const { return spool_.FirstWaiting() != nullptr; }

  Session& session_;
  Spool& spool_;
  const Station& station_;
  const std::string caller_;
  const std::string person_;
  SpoolSender sender_;

  std::mutex mutex_;
  std::condition_variable news_;
  // Of the thread that sends; let go while it calls.
  std::unique_lock<std::mutex>* lock_ = nullptr;
  std::deque<Note> notes_;
  absl::Status broken_;
  bool ended_ = false;
  std::atomic<bool> stop_ = false;

  // The reader's: a barcode whose weight is to come.
  std::string barcode_, barcode_line_;
  // The sender's.
  bool refused_ = false;
  // Up to here it was said that entries are kept.
  int64_t told_ = 0;
  absl::Status why_;
};

void Watcher::Refuse(const std::string& line) {
  const std::lock_guard lock(mutex_);
  Say("??", absl::Now(), line, "too long for a line");
  news_.notify_one();
}

void Watcher::Read(int input) {
  std::string rest;
  bool too_long = false;
  char buffer[4096];
  while (!stop_) {
    pollfd ready{.fd = input, .events = POLLIN};
    const int count = poll(&ready, 1, kPollMillis);
    if (count == 0 || (count < 0 && errno == EINTR)) continue;
    const ssize_t size = read(input, buffer, sizeof(buffer));
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size <= 0) break;
    rest.append(buffer, static_cast<size_t>(size));
    size_t begin = 0;
    // CRLF leaves a blank line behind, which is none.
    for (size_t end;
         (end = rest.find_first_of("\r\n", begin)) != std::string::npos;
         begin = end + 1) {
      // The end of one that was too long is no line.
      if (!std::exchange(too_long, false))
        TakeLine(rest.substr(begin, end - begin));
    }
    rest.erase(0, begin);
    if (rest.size() > kLongestLine) {
      if (!std::exchange(too_long, true)) Refuse(rest.substr(0, kLineTold));
      rest.clear();
    }
  }
  if (!rest.empty() && !too_long) TakeLine(rest);
  const std::lock_guard lock(mutex_);
  if (!barcode_.empty()) {
    Say("??", absl::Now(), barcode_line_, "no weight came for it");
  }
  ended_ = true;
  news_.notify_one();
}

void Watcher::TakeLine(const std::string& text) {
  absl::StatusOr<StationLine> line =
      ParseStationLine(text, station_.barcode_only);
  const std::lock_guard lock(mutex_);
  if (!broken_.ok()) return;
  if (!line.ok()) {
    Say("??", absl::Now(), text, std::string(line.status().message()));
  } else if (!line->IsBlank()) {
    if (station_.barcode_then_weight && !line->first_grams.has_value()) {
      if (!barcode_.empty()) {
        Say("??", absl::Now(), barcode_line_, "no weight came for it");
      }
      barcode_ = line->barcode;
      barcode_line_ = text;
      Say("..", absl::Now(), text, "and its weight?");
    } else {
      TakeWeighed(*std::move(line), text);
    }
  }
  news_.notify_one();
}

void Watcher::TakeWeighed(StationLine line, const std::string& text) {
  if (barcode_.empty()) {
    Keep(line, text, text);
  } else if (!line.barcode.empty()) {
    Say("??", absl::Now(), barcode_line_, "no weight came for it");
    barcode_.clear();
    Keep(line, text, text);
  } else {
    line.barcode = barcode_;
    // A weight that cannot be is the scale's; the barcode waits for the next.
    if (Keep(line, absl::StrCat(barcode_line_, " ", text), text)) {
      barcode_.clear();
    }
  }
}

bool Watcher::Keep(const StationLine& line, const std::string& text,
                   const std::string& read) {
  // What the contract's times and the spool's both hold.
  const absl::Time at = absl::FromUnixMillis(absl::ToUnixMillis(absl::Now()));
  const auto request = station_.request(line, at);
  if (!request.ok()) {
    Say("??", at, read, std::string(request.status().message()));
    return false;
  }
  const std::string id = Uuid::V7(at).ToString();
  const auto* field =
      (*request)->GetDescriptor()->FindFieldByName("request_id");
  if (field != nullptr) {
    (*request)->GetReflection()->SetString(request->get(), field, id);
  }
  const auto kept = spool_.Append(
      {.at = at,
       .method = MethodName(MethodOf(*(*request)->GetDescriptor())),
       .request = *request,
       .request_id = id,
       .line = Printable(text),
       .caller = caller_,
       .person = person_});
  if (!kept.ok()) broken_ = kept.status();
  return kept.ok();
}

void Watcher::TellNotes() {
  for (; !notes_.empty(); notes_.pop_front()) {
    const Note& note = notes_.front();
    if (note.what == "??") refused_ = true;
    Tell(session_, note.what.c_str(), note.at,
         absl::StrCat(note.line, "  ", note.text),
         {{"line", note.line}, {"message", note.text}});
  }
}

absl::Status Watcher::TellKept() {
  const int64_t waiting = spool_.CountOf(Spool::State::kWaiting);
  for (auto it = spool_.entries().upper_bound(told_);
       it != spool_.entries().end(); ++it) {
    const Spool::Entry& entry = it->second;
    told_ = entry.number;
    if (entry.state != Spool::State::kWaiting) continue;
    Tell(session_, "kept", entry.at,
         absl::StrCat(entry.line, "  ", Briefly(why_), ", will be sent; ",
                      WaitingText(waiting)),
         {{"line", entry.line},
          {"entry", entry.number},
          {"request_id", entry.request_id},
          {"message", std::string(why_.message())},
          {"waiting", waiting}});
  }
  return spool_.Told(told_);
}

absl::Status Watcher::SendAndTell() {
  std::unique_lock lock(mutex_);
  lock_ = &lock;
  absl::Duration pause = kFirstPause;
  absl::Time next = absl::InfinitePast();
  bool last_try = false;
  for (;;) {
    TellNotes();
    RETURN_IF_ERROR(broken_);
    if (Waiting() && absl::Now() >= next) {
      ASSIGN_OR_RETURN(const SpoolSender::Result result, sender_.SendNext());
      if (result.step == SpoolSender::Step::kAnswered) {
        pause = kFirstPause;
        why_ = absl::OkStatus();
        continue;
      }
      why_ = result.why;
      next = absl::Now() + pause;
      pause = std::min(2 * pause, kLongestPause);
    }
    if (Waiting()) RETURN_IF_ERROR(TellKept());
    if (!notes_.empty()) continue;
    if (ended_ && (!Waiting() || last_try)) break;
    if (ended_) {
      last_try = true;
      next = absl::InfinitePast();
      continue;
    }
    const absl::Duration until = Waiting() ? next - absl::Now() : kLongestPause;
    news_.wait_for(lock, absl::ToChronoMilliseconds(
                             std::max(until, absl::Milliseconds(1))));
  }
  if (Waiting()) return StillWaiting(session_, spool_, why_);
  return refused_ ? AlreadyTold() : absl::OkStatus();
}

void TellOneFromBefore(Session& session, const Spool::Entry& entry,
                       int64_t waiting) {
  json facts = {{"line", entry.line},
                {"entry", entry.number},
                {"request_id", entry.request_id},
                {"from_before", true}};
  if (entry.state == Spool::State::kRefused) {
    facts["message"] = entry.why;
    Tell(session, "NO", entry.at,
         absl::StrCat(entry.line, "  from before, ", entry.why, " (entry ",
                      entry.number, " of the spool)"),
         facts);
  } else {
    facts["waiting"] = waiting;
    Tell(session, "kept", entry.at,
         absl::StrCat(entry.line, "  from before, will be sent; ",
                      WaitingText(waiting)),
         facts);
  }
}

}  // namespace

absl::Status TellFromBefore(Session& session, Spool& spool) {
  const int64_t waiting = spool.CountOf(Spool::State::kWaiting);
  const int64_t refused = spool.CountOf(Spool::State::kRefused);
  int64_t known =
      std::count_if(spool.entries().begin(), spool.entries().end(),
                    [&](const auto& one) { return one.first <= spool.told(); });
  for (const auto& [number, entry] : spool.entries()) {
    if (number <= spool.told() && known-- > kNewestTold) continue;
    TellOneFromBefore(session, entry, waiting);
  }
  std::string text = "nothing from before";
  if (waiting + refused > 0) {
    text = absl::StrCat("from before: ", WaitingText(waiting));
  }
  if (refused > 0) {
    absl::StrAppend(&text, ", ", refused,
                    refused == 1 ? " was refused" : " were refused",
                    " (`mtpctl spool list`)");
  }
  Tell(session, "start", absl::Now(), text,
       {{"waiting", waiting}, {"refused", refused}});
  if (spool.entries().empty()) return absl::OkStatus();
  return spool.Told(spool.entries().rbegin()->first);
}

void TellAnswer(Session& session, const Spool::Entry& entry, bool late,
                const absl::Status& status, const Message* response) {
  json facts = {{"line", entry.line},
                {"entry", entry.number},
                {"request_id", entry.request_id}};
  if (status.ok()) {
    facts["response"] = json::parse(JsonOf(*response, false), nullptr, false);
    Tell(session, late ? "sent" : "ok", entry.at, AnswerText(*response), facts);
  } else {
    facts["message"] = OneLine(status);
    Tell(session, "NO", entry.at,
         absl::StrCat(entry.line, "  ", OneLine(status), " (entry ",
                      entry.number, " of the spool)"),
         facts);
  }
}

absl::Status Watch(Session& session, Spool& spool, const Station& station,
                   int input) {
  ASSIGN_OR_RETURN(const std::string caller, session.CallerOf(*station.method));
  const Spool::Entry* first = spool.FirstWaiting();
  std::string same = caller;
  if (first != nullptr) {
    ASSIGN_OR_RETURN(
        same, session.CallerOf(MethodOf(*first->request->GetDescriptor())));
  }
  ASSIGN_OR_RETURN(const std::string person, session.PersonOf(*station.method));
  if (first != nullptr && first->caller != same) {
    return UsageError(absl::StrCat(
        spool.path(), " keeps entries of ", first->CallerText(),
        ", and this is ", person.empty() ? "" : person + ", ", same,
        ": send them as that person (mtpctl spool send), give this station a "
        "spool of its own with --spool, or take them out (mtpctl spool "
        "drop)"));
  }
  return Watcher(session, spool, station, caller, person).Run(input);
}

absl::Status SendSpool(Session& session, Spool& spool) {
  bool refused = false;
  SpoolSender sender = MakeSender(
      session, spool,
      [&](Message& request, Message& response) {
        return session.Call(request, response);
      },
      [&](const Spool::Entry& entry, const absl::Status& status,
          const Message* response) {
        if (!status.ok()) refused = true;
        TellAnswer(session, entry, /*late=*/true, status, response);
      });
  for (;;) {
    ASSIGN_OR_RETURN(const SpoolSender::Result result, sender.SendNext());
    if (result.step == SpoolSender::Step::kAnswered) continue;
    if (result.step != SpoolSender::Step::kIdle) {
      return StillWaiting(session, spool, result.why);
    }
    return refused ? AlreadyTold() : absl::OkStatus();
  }
}

absl::StatusOr<std::string> NameOrLast(
    Session& session, Spool& spool, const std::string& kind,
    const std::string& name,
    absl::StatusOr<std::string> (*lookup)(Session&, const std::string&)) {
  const std::string known = absl::StrCat(kind, " ", name);
  const absl::StatusOr<std::string> id = lookup(session, name);
  if (id.ok()) {
    if (*id != name) RETURN_IF_ERROR(spool.KeepName(known, *id));
    return id;
  }
  const std::string last = spool.IdOf(known);
  return ExitCodeOf(id.status()) == kUnavailable && !last.empty()
             ? absl::StatusOr<std::string>(last)
             : id;
}

}  // namespace mtp::cli
