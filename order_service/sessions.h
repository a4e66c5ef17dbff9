#pragma once

#include <optional>
#include <string>

#include "mtp/order/v1/sessions.pb.h"
#include "order_service/rows.h"

// The rules of signing in and out; the calls are in session_calls.h.
namespace mtp::order {

// What a pair of tokens is to say.
struct Grant {
  Uuid subject;
  std::string username;
  options::v1::Role role = options::v1::ROLE_UNSPECIFIED;
  bool must_change_password = false;
  Uuid session_id;
  absl::Time issued_at;
  absl::Time refresh_expires_at;
};

// A try that is kept whatever came of it: tokens, or why there are none.
struct Attempted {
  std::optional<Grant> grant;
  absl::Status refusal;
};

// What was found out before the rows were locked.
struct SignInAttempt {
  std::string folded_username;
  // Where wrong tries under the name are counted if nobody has it.
  int64_t bucket = 0;
  // Who has that name; nobody, perhaps.
  std::optional<Uuid> subject;
  // The kept hash that the password matched; empty: none.
  std::string matched_hash;
  // The password's hash at today's cost, where the kept one cost less.
  std::string dearer_hash;
  // Of the session that it opens; nil: any.
  Uuid session_id = {};
  TokenDigest refresh_digest;
  std::string client;
};
Attempted DecideSignIn(const SignInAttempt& attempt, Context& context,
                       Rows& rows);

struct RefreshAttempt {
  Uuid subject;
  Uuid session_id;
  TokenDigest digest;
  TokenDigest next_digest;
};
Attempted DecideRefresh(const RefreshAttempt& attempt, Context& context,
                        Rows& rows);

// The user who calls; nil where the caller is none of ours.
Uuid CallerSubject(const rpc::Caller& caller);

absl::StatusOr<v1::SignOutResponse> DecideSignOut(
    const v1::SignOutRequest& request, Context& context, Rows& rows);

// Of the caller, `matched_hash` as in SignInAttempt. `new_hash` is empty where
// the new password is the present one.
absl::StatusOr<v1::ChangePasswordResponse> DecideChangePassword(
    const std::string& matched_hash, const std::string& new_hash,
    Context& context, Rows& rows);
// One more wrong password of the caller's.
void CountWrongPassword(Context& context, Rows& rows);

}  // namespace mtp::order
