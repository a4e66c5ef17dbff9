#include "common/sync/link_state.h"

#include <string>

#include "common/base/protos.h"
#include "common/base/test_points.h"

namespace mtp::sync {

const db::Statement kReadLinkState{R"(
  SELECT own_epoch, peer_epoch, halted, recovering, peer_high_water, peer_sent_at, now()
  FROM sync.epoch
)"};

LinkState ReadLinkState(const db::Row& row) {
  LinkState link;
  row.Into(link.own_epoch, link.peer_epoch, link.halted, link.recovering,
           link.peer_high_water, link.peer_sent_at, link.now);
  return link;
}

// A message that was held up on its way says an older high water at an older
// time: that is no restore, and nor are two relays whose claims crossed. Who
// only asks says none.
v1::Refusal RefusalOf(const v1::Sender& sender, const LinkState& link) {
  if (sender.epoch() < link.peer_epoch) return v1::REFUSAL_EPOCH_SUPERSEDED;
  if (sender.epoch() == link.peer_epoch) {
    const bool fell_back =
        sender.high_water() > 0 && sender.high_water() < link.peer_high_water &&
        link.peer_sent_at.has_value() &&
        FromProto(sender.sent_at()) > *link.peer_sent_at + kHighWaterMargin &&
        !Planted("high-water-ignored");
    if (link.halted || fell_back) return v1::REFUSAL_VERSIONS_FELL_BACK;
  }
  if (link.recovering && !Planted("heard-while-recovering"))
    return v1::REFUSAL_RECEIVER_RECOVERING;
  return v1::REFUSAL_UNSPECIFIED;
}

v1::Receipt ReceiptFor(const v1::Sender& sender, const LinkState& link) {
  v1::Receipt receipt;
  receipt.set_receiver_epoch(link.own_epoch);
  receipt.set_refusal(RefusalOf(sender, link));
  receipt.set_sender_epoch(receipt.refusal() == v1::REFUSAL_UNSPECIFIED
                               ? sender.epoch()
                               : link.peer_epoch);
  *receipt.mutable_received_at() = ToProto(link.now);
  return receipt;
}

void KeptStamp::To(v1::Stamp* proto) const {
  proto->set_epoch(epoch);
  proto->set_version(version);
  if (changed_at.has_value())
    *proto->mutable_changed_at() = ToProto(*changed_at);
}

bool Forked(const v1::Stamp& told, const KeptStamp& kept) {
  if (told.epoch() != kept.epoch || told.version() > kept.version ||
      !told.has_changed_at() || !kept.changed_at.has_value()) {
    return false;
  }
  const absl::Time changed_at = FromProto(told.changed_at());
  const bool forked = told.version() == kept.version
                          ? changed_at != *kept.changed_at
                          : changed_at > *kept.changed_at + kForkMargin;
  return forked && !Planted("fork-not-noticed");
}

const db::Statement kReadSender{R"(
  SELECT own_epoch, now() FROM sync.epoch
)"};

v1::Sender ReadSender(const db::Row& row, common::v1::Side side,
                      std::string_view instance) {
  int64_t epoch = 0;
  absl::Time now;
  row.Into(epoch, now);
  v1::Sender sender;
  sender.set_side(side);
  sender.set_instance(std::string(instance));
  sender.set_epoch(epoch);
  *sender.mutable_sent_at() = ToProto(now);
  return sender;
}

}  // namespace mtp::sync
