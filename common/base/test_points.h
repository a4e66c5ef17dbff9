#pragma once

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

// Points at which tests break a service on purpose, to see that they notice it:
// planted bugs, each of which takes one safeguard away, crash points, and words
// of the version after this one. They act in the programs `*_planted` alone
// (tests/planted.cmake), where this is compiled with MTP_TEST_POINTS; in what
// is shipped nothing of it is left. For source files only: a header's inline
// functions would be compiled both ways.
namespace mtp {

// What MTP_PLANTED may name.
inline constexpr std::string_view kPlantedBugs[] = {
    // A change.
    "key-not-kept",
    "probe-before-locks",
    "reply-not-kept",
    "content-not-compared",
    "reply-before-commit",
    "lost-commit-taken-for-done",
    "lost-commit-retried-as-new",
    "refused-call-keeps-effects",
    "rows-kept-over-rerun",
    "audit-not-written",
    "mark-after-commit",
    "waiting-line-unbounded",
    "order-row-not-locked",
    "processing-row-not-locked",
    // Its rules.
    "balance-not-checked",
    "dispatched-twice",
    "weight-not-given-back",
    "split-loses-a-gram",
    "version-not-raised",
    "schedule-not-marked",
    "release-not-marked",
    // The relay.
    "lease-never-expires",
    "mark-removed-before-ack",
    "mark-removed-though-newer",
    "mark-given-up",
    "poison-dropped",
    "left-over-forgotten",
    "poll-missed",
    "relay-connection-not-remade",
    // The link.
    "breaker-never-closes",
    "channel-not-remade",
    "silence-not-noticed",
    // The receiver.
    "older-progress-taken",
    "older-shipment-taken",
    "allocations-not-given-back",
    "exception-not-opened",
    "heard-while-recovering",
    "high-water-ignored",
    "fork-not-noticed",
    "epoch-not-raised",
    "codes-given-twice",
    // Reconciliation.
    "repair-without-raised-version",
    "drift-not-confirmed",
    // Recovery after a restore.
    "high-water-not-said",
    "untold-taken-for-lost",
    "recovered-keeps-allocations",
};

// What MTP_CRASH_AT may name, each with how often it is passed: `name:3` ends
// the process at the third pass. MTP_PAUSE_AT may name them, too, with
// milliseconds: `name:300` holds up each of the first 20 passes for so long.
inline constexpr std::string_view kCrashPoints[] = {
    // A person's change: decided, with its rows locked; on disk; told to the
    // relay; answered, but not the others of its batch.
    "write.before_commit",
    "write.after_commit",
    "write.before_reply",
    "write.between_replies",
    // The same for states of the peer.
    "receive.before_commit",
    "receive.after_commit",
    "receive.before_reply",
    // The relay: marks leased; states read; answer heard; marks removed.
    "deliver.lease_taken",
    "deliver.before_send",
    "deliver.after_send",
    "deliver.after_settle",
    // Reconciliation: this side's states read; the peer's, too; versions
    // raised, not committed; repairs marked; all repaired, not reported.
    "reconcile.own_states_read",
    "reconcile.states_read",
    "reconcile.before_repair",
    "reconcile.after_repair",
    "reconcile.before_report",
    // Recovery after a restore: a state taken back, not committed; all taken
    // back; its end on disk.
    "recover.state_taken",
    "recover.before_end",
    "recover.after_end",
};

namespace test_points {

// Never defined for the compiler: calling it says that a name is not listed.
void NoSuchTestPoint();

// One of the names, looked up by the compiler, so that a program which does not
// use it does not hold it.
template <const auto& names>
class Name {
 public:
  consteval Name(const char* name) : index_(0) {  // NOLINT: meant to convert
    while (index_ < std::size(names) && names[index_] != name) ++index_;
    if (index_ == std::size(names)) NoSuchTestPoint();
  }
  constexpr size_t index() const { return index_; }

 private:
  size_t index_;
};

}  // namespace test_points

using PlantedBug = test_points::Name<kPlantedBugs>;
using CrashPlace = test_points::Name<kCrashPoints>;

// The namespaces keep the two ways to compile it apart for the linker.
#ifdef MTP_TEST_POINTS
inline namespace with_test_points {

// Whether this bug is to act. Tells on standard error when it first does: ask
// only where the safeguard would.
bool Planted(PlantedBug bug);
// Ends the process as SIGKILL would, if it is to end here, or waits, if it is
// to pause.
void CrashPoint(CrashPlace place);
// With MTP_NEXT_VERSION the process is one of the version after this one, whose
// messages have fields that this one does not know: adds one to the message and
// to every message in it; to the message alone, where it is serialized already.
void SayAsNextVersion(google::protobuf::Message& message);
void SayAsNextVersion(std::string& serialized);

}  // namespace with_test_points
#else
inline namespace without_test_points {

constexpr bool Planted(PlantedBug) { return false; }
constexpr void CrashPoint(CrashPlace) {}
constexpr void SayAsNextVersion(const google::protobuf::Message&) {}
constexpr void SayAsNextVersion(const std::string&) {}

}  // namespace without_test_points
#endif

}  // namespace mtp
