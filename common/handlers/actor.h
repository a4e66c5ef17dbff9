#pragma once

#include <string>

#include "common/db/proto_enum.h"
#include "common/rpc/call.h"
#include "mtp/common/v1/common.pb.h"
#include "mtp/options/v1/role.pb.h"

namespace mtp::handlers {

// Who did something, as rows keep it: subject, username and role of that time.
struct Actor {
  std::string subject;
  std::string username;
  options::v1::Role role = options::v1::ROLE_UNSPECIFIED;

  static Actor Of(const rpc::Caller& caller) {
    return {caller.subject, caller.username, caller.role};
  }
  static Actor Of(const common::v1::Actor& proto) {
    return {proto.subject(), proto.username(), proto.role()};
  }
  bool known() const { return !subject.empty(); }
  void To(common::v1::Actor* proto) const {
    proto->set_subject(subject);
    proto->set_username(username);
    proto->set_role(role);
  }
};

}  // namespace mtp::handlers
