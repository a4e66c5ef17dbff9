#include "cli/station/spool_sender.h"

#include <map>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/failures.h"
#include "cli/fields.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "mtp/processing/v1/bags.pb.h"

namespace mtp::cli {
namespace {

using google::protobuf::Message;
using processing::v1::BatchReceiveBagsRequest;
using processing::v1::BatchReceiveBagsResponse;
using processing::v1::ReceiveBagRequest;
using processing::v1::ReceiveBagResponse;

// What the contract takes in one batch call.
constexpr size_t kLargestBatch = 500;
// The services remember a request_id for 7 days; a day for clocks that differ.
constexpr absl::Duration kRemembered = absl::Hours(6 * 24);
// A fault of a program is not the station's: but one entry must not keep all
// others waiting for ever.
constexpr int kFaultsTaken = 5;

enum class Meaning { kDone, kRefused, kNoAnswer, kNotAllowed, kFault };

Meaning MeaningOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return Meaning::kDone;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      // The command line's own faults, as no token: nothing was asked.
      return ExitCodeOf(status) == kUsage ? Meaning::kNotAllowed
                                          : Meaning::kRefused;
    case absl::StatusCode::kResourceExhausted:
      // Busy, or too large, which stays so.
      return ExitCodeOf(status) == kRefused ? Meaning::kRefused
                                            : Meaning::kNoAnswer;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return Meaning::kNotAllowed;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
      return Meaning::kNoAnswer;
    default:
      return Meaning::kFault;
  }
}

std::unique_ptr<Message> Copy(const Message& message) {
  std::unique_ptr<Message> copy(message.New());
  copy->CopyFrom(message);
  return copy;
}

bool MayBeBatched(const Spool::Entry& entry) {
  return !entry.alone && entry.batch.empty() &&
         entry.request->GetDescriptor() == ReceiveBagRequest::descriptor();
}

absl::Status Forgotten() {
  return absl::UnknownError(
      "it was tried so long ago that the service no longer remembers; look "
      "whether it was done before sending it again");
}

}  // namespace

bool SpoolSender::TooLate(const Spool::Entry& entry) const {
  return entry.tried_at.has_value() &&
         on_.clock() - *entry.tried_at > kRemembered;
}

absl::Status SpoolSender::CheckCaller(const Spool::Entry& entry) const {
  ASSIGN_OR_RETURN(const std::string caller,
                   on_.caller(MethodOf(*entry.request->GetDescriptor())));
  if (entry.caller == caller) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("entry ", entry.number, " was recorded by ",
                   entry.CallerText(), ", and this is ", caller,
                   ": only the same can send it without doubling it, or "
                   "`mtpctl spool drop` takes it out"));
}

absl::StatusOr<SpoolSender::Result> SpoolSender::SendNext() {
  const Spool::Entry* first = spool_.FirstWaiting();
  if (first == nullptr) return Result{};
  if (const absl::Status same = CheckCaller(*first); !same.ok()) {
    return Result{Step::kNotAllowed, same};
  }
  if (!first->batch.empty()) return SendBatch(first->batch);
  if (!MayBeBatched(*first)) return SendOne(first->number);
  std::vector<int64_t> together;
  for (const auto& [number, entry] : spool_.entries()) {
    if (entry.state != Spool::State::kWaiting) continue;
    if (!MayBeBatched(entry) || entry.caller != first->caller ||
        together.size() == kLargestBatch) {
      break;
    }
    together.push_back(number);
  }
  if (together.size() == 1) return SendOne(together.front());
  ASSIGN_OR_RETURN(const std::string batch,
                   spool_.SendTogether(together, on_.clock()));
  return SendBatch(batch);
}

absl::StatusOr<SpoolSender::Result> SpoolSender::SetAside(
    int64_t number, const absl::Status& why) {
  const Spool::Entry entry = spool_.entries().at(number);
  // A question that is refused has its answer; a record waits for a person.
  const bool question =
      entry.request->GetDescriptor()->FindFieldByName("request_id") == nullptr;
  if (!question) RETURN_IF_ERROR(spool_.Refused(number, OneLine(why)));
  on_.answered(entry, why, nullptr);
  RETURN_IF_ERROR(question ? spool_.Done(number) : spool_.Told(number));
  return Result{Step::kAnswered, why};
}

absl::StatusOr<SpoolSender::Result> SpoolSender::SetBatchAside(
    const std::string& batch, const absl::Status& why) {
  std::vector<Spool::Entry> entries;
  std::map<int64_t, std::string> refused;
  for (const Spool::Entry* entry : spool_.OfBatch(batch)) {
    entries.push_back(*entry);
    refused[entry->number] = OneLine(why);
  }
  RETURN_IF_ERROR(spool_.Answered(batch, refused));
  for (const Spool::Entry& entry : entries) on_.answered(entry, why, nullptr);
  RETURN_IF_ERROR(spool_.Told(entries.back().number));
  return Result{Step::kAnswered, why};
}

absl::StatusOr<SpoolSender::Result> SpoolSender::SendOne(int64_t number) {
  RETURN_IF_ERROR(spool_.SendAlone(number, on_.clock()));
  const Spool::Entry entry = spool_.entries().at(number);
  if (TooLate(entry)) {
    return SetAside(number, Forgotten());
  }
  const MethodDescriptor& method = MethodOf(*entry.request->GetDescriptor());
  const std::unique_ptr<Message> request = Copy(*entry.request);
  const std::unique_ptr<Message> response(
      google::protobuf::MessageFactory::generated_factory()
          ->GetPrototype(method.output_type())
          ->New());
  const absl::Status status = on_.call(*request, *response);
  switch (MeaningOf(status)) {
    case Meaning::kDone:
      faults_ = 0;
      on_.answered(entry, status, response.get());
      RETURN_IF_ERROR(spool_.Done(number));
      return Result{Step::kAnswered, status};
    case Meaning::kRefused:
      faults_ = 0;
      return SetAside(number, status);
    case Meaning::kNotAllowed:
      return Result{Step::kNotAllowed, status};
    case Meaning::kFault:
      if (++faults_ < kFaultsTaken) return Result{Step::kNoAnswer, status};
      faults_ = 0;
      return SetAside(number, status);
    case Meaning::kNoAnswer:
      break;
  }
  return Result{Step::kNoAnswer, status};
}

absl::StatusOr<SpoolSender::Result> SpoolSender::SendBatch(
    const std::string& batch) {
  const std::vector<const Spool::Entry*> entries = spool_.OfBatch(batch);
  if (TooLate(*entries.front())) return SetBatchAside(batch, Forgotten());
  BatchReceiveBagsRequest request;
  request.set_request_id(batch);
  for (const Spool::Entry* entry : entries) {
    *request.add_receipts() =
        static_cast<const ReceiveBagRequest&>(*entry->request).receipt();
  }
  BatchReceiveBagsResponse response;
  const absl::Status status = on_.call(request, response);
  switch (MeaningOf(status)) {
    case Meaning::kDone:
      faults_ = 0;
      RETURN_IF_ERROR(TakeVerdicts(batch, response));
      return Result{Step::kAnswered, status};
    case Meaning::kRefused:
      faults_ = 0;
      if (status.code() != absl::StatusCode::kInvalidArgument) {
        return SetBatchAside(batch, status);
      }
      // One of them is wrong by itself; alone, only that one is refused.
      RETURN_IF_ERROR(spool_.Dissolve(batch));
      return Result{Step::kAnswered, status};
    case Meaning::kNotAllowed:
      return Result{Step::kNotAllowed, status};
    case Meaning::kFault:
      if (++faults_ < kFaultsTaken) return Result{Step::kNoAnswer, status};
      faults_ = 0;
      return SetBatchAside(batch, status);
    case Meaning::kNoAnswer:
      break;
  }
  return Result{Step::kNoAnswer, status};
}

absl::Status SpoolSender::TakeVerdicts(const std::string& batch,
                                       const Message& message) {
  const auto& response = static_cast<const BatchReceiveBagsResponse&>(message);
  std::vector<Spool::Entry> entries;
  for (const Spool::Entry* entry : spool_.OfBatch(batch)) {
    entries.push_back(*entry);
  }
  if (static_cast<size_t>(response.results_size()) != entries.size()) {
    return absl::InternalError("a batch was answered with another's results");
  }
  std::map<int64_t, std::string> refused;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto& result = response.results(static_cast<int>(i));
    if (result.has_error()) {
      refused[entries[i].number] = OneLine(StatusOf(result.error()));
    }
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto& result = response.results(static_cast<int>(i));
    if (result.has_error()) {
      on_.answered(entries[i], StatusOf(result.error()), nullptr);
    } else {
      ReceiveBagResponse one;
      *one.mutable_bag() = result.bag();
      on_.answered(entries[i], absl::OkStatus(), &one);
    }
  }
  RETURN_IF_ERROR(spool_.Answered(batch, refused));
  return spool_.Told(entries.back().number);
}

}  // namespace mtp::cli
