#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"

namespace mtp::cli {

// What a station recorded and the service has not answered yet, in a file that
// outlives the program, so that an outage, a kill or a power cut loses and
// doubles nothing.
//
// The file is text and only grows, until most of it is settled and more than a
// MiB: then what is not is copied to a new one that takes its place. Each line
// is a record: the first eight hexadecimal digits of the SHA-256 of the rest, a
// blank, and a JSON object:
//
//   {"spool":1,"next":N}             the first line; N is the next entry's
//   {"entry":N,"at":TIME,"request_id":ID,"method":…,"request":{…},"line":…,
//    "caller":SUBJECT@HOST:PORT,"person":NAME (ROLE),"alone":true|false}
//   {"alone":N,"at":TIME}            from now on N is asked for by itself
//   {"batch":ID,"entries":[N,…],"at":TIME}   asked for in one batch call
//   {"dissolved":ID}                 that call was refused whole: each alone
//   {"answered":ID,"refused":{"N":why,…}}    it was answered; the rest is done
//   {"done":N}
//   {"refused":N,"why":…}
//   {"again":N,"at":TIME}            a refused one is asked for again, alone
//   {"dropped":N,"why":…}            by a person
//   {"told":N}                       up to N, people read what became of each
//   {"name":"tealine TL-1","id":ID}  what a code meant when it was asked
//
// A record that says what is going to be sent is on the disk before it is sent;
// what was answered need not be: the same call under the same request_id is
// answered the same. An entry is sent by itself under its own request_id, or
// in a batch under the batch's, and never changes from one to the other while
// the outcome is unknown. A tail without its line feed was cut off: it was
// never promised to anybody and is taken away when the file is opened.
class Spool {
 public:
  enum class State { kWaiting, kRefused };

  // One that is not done and not dropped.
  struct Entry {
    int64_t number = 0;
    absl::Time at;
    std::string request_id;
    // `mtp.processing.v1.BagService/ReceiveBag`.
    std::string method;
    std::shared_ptr<const google::protobuf::Message> request;
    // As it was read.
    std::string line;
    std::string caller;
    // Whom people know the caller as; empty if nobody wrote it down.
    std::string person;
    // `nimal (SEEDUWA_OPERATOR), SUBJECT@HOST:PORT`.
    std::string CallerText() const {
      return person.empty() ? caller : person + ", " + caller;
    }
    State state = State::kWaiting;
    // Sent by itself, never in a batch.
    bool alone = false;
    // Of the batch that it was or is to be sent in.
    std::string batch;
    // Since when it may have been sent.
    std::optional<absl::Time> tried_at;
    // Of a refused one.
    std::string why;
  };
  struct NewEntry {
    absl::Time at;
    std::string method;
    // With its request_id and occurred_at, if it takes these.
    std::shared_ptr<const google::protobuf::Message> request;
    std::string request_id;
    std::string line;
    std::string caller;
    std::string person;
  };

  // The file that a station uses unless told otherwise:
  // $XDG_STATE_HOME/mtpctl/spool, by default below ~/.local/state.
  static std::string DefaultPath();
  // Makes the file and its folder if need be, and keeps every other program
  // from it: FAILED_PRECONDITION when one has it. A file that is no spool is
  // left alone: INVALID_ARGUMENT. DATA_LOSS: a record that has its line feed is
  // damaged.
  static absl::StatusOr<std::unique_ptr<Spool>> Open(const std::string& path);
  // What is in it, for a look; a file that is not there is empty.
  static absl::StatusOr<std::unique_ptr<Spool>> Look(const std::string& path);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // By number, oldest first.
  const std::map<int64_t, Entry>& entries() const { return entries_; }
  const std::string& path() const { return path_; }
  // The first that waits, if any.
  const Entry* FirstWaiting() const;
  int64_t CountOf(State state) const;
  // The entries of the batch that waits for its answer; empty if none does.
  std::vector<const Entry*> OfBatch(const std::string& batch) const;
  // The newest entry of which it was told that it is kept, done or refused; an
  // entry that is later than this may be one that nobody heard of.
  int64_t told() const { return told_; }
  // What `tealine TL-1` meant; empty if it was never asked.
  std::string IdOf(const std::string& name) const;

  // Keeps the entry on the disk before it returns; its number. It goes alone
  // if nothing else waits.
  absl::StatusOr<int64_t> Append(NewEntry entry);
  absl::Status SendAlone(int64_t number, absl::Time now);
  // These are sent as one batch, under an id that is made here.
  absl::StatusOr<std::string> SendTogether(const std::vector<int64_t>& numbers,
                                           absl::Time now);
  // What the batch call said of each: `refused` why not, by number.
  absl::Status Answered(const std::string& batch,
                        const std::map<int64_t, std::string>& refused);
  absl::Status Dissolve(const std::string& batch);
  absl::Status Done(int64_t number);
  absl::Status Refused(int64_t number, const std::string& why);
  absl::Status Again(int64_t number, absl::Time now);
  // FAILED_PRECONDITION for one of a batch that may be on its way.
  absl::Status Drop(int64_t number, const std::string& why);
  // After people could read it.
  absl::Status Told(int64_t number);
  absl::Status KeepName(const std::string& name, const std::string& id);

 private:
  // A smaller file is not worth writing anew.
  static constexpr size_t kLargeBytes = 1 << 20;

  explicit Spool(std::string path) : path_(std::move(path)) {}
  absl::Status Lock();
  // Reads the file; the length of what is whole.
  absl::StatusOr<size_t> Load();
  absl::Status Take(std::string_view json);
  absl::Status TakeEntry(const void* record);
  static void SetRefused(Entry& entry, std::string why);
  absl::Status TakenBack(absl::Status failed);
  absl::Status Begin();
  // Keeps the file small after an entry is settled, or leaves it as it is.
  void Settled();
  // A new file without what is settled, in the place of this one.
  absl::Status StartAnew();
  absl::Status Write(const std::string& json, bool to_disk);
  absl::Status WriteAt(int file, size_t offset, const std::string& text,
                       bool to_disk) const;

  const std::string path_;
  int lock_ = -1;
  int file_ = -1;
  int64_t next_ = 1;
  int64_t told_ = 0;
  size_t size_ = 0;
  // Past this size it is written anew.
  size_t anew_beyond_ = kLargeBytes;
  std::map<int64_t, Entry> entries_;
  std::map<std::string, std::string> names_;
};

}  // namespace mtp::cli
