#include "order_service/sessions.h"

#include <catch2/catch.hpp>

#include "common/base/errors.h"
#include "common/rpc/revocations.h"
#include "order_service/revoking.h"
#include "order_service/users.h"
#include "tests/support/deciding.h"

namespace mtp::tests {
namespace {

using namespace order;

constexpr char kHash[] = "$argon2id$of nimal";

// The rows of one user, and calls one after the other.
class Desk {
 public:
  Desk() {
    settings_.identity.lock_after = 3;
    rows_.users.Put({.subject = subject,
                     .username = "Nimal",
                     .role = options::v1::ROLE_SEEDUWA_OPERATOR,
                     .password_hash = kHash});
    call_.caller.subject = subject.ToString();
  }

  Attempted SignIn(const std::string& matched_hash,
                   const std::string& dearer_hash = "") {
    ++tokens_;
    SignInAttempt attempt{.folded_username = "nimal",
                          .subject = subject,
                          .matched_hash = matched_hash,
                          .dearer_hash = dearer_hash,
                          .refresh_digest = Digest(tokens_),
                          .client = ""};
    return Keep([&](Context& context) {
      return DecideSignIn(attempt, context, rows_);
    });
  }
  // The last refresh, or sign-in, once more: the answer to its COMMIT was lost.
  Attempted Again(const RefreshAttempt& attempt) {
    return Keep([&](Context& context) {
      return DecideRefresh(attempt, context, rows_);
    });
  }
  Attempted Again(const SignInAttempt& attempt) {
    return Keep([&](Context& context) {
      return DecideSignIn(attempt, context, rows_);
    });
  }
  static TokenDigest Digest(int n) {
    return TokenDigest::Of(std::to_string(n));
  }
  Attempted Unknown(const std::string& name) {
    const std::string secret(32, 's');
    SignInAttempt attempt{.folded_username = name,
                          .bucket = UnknownSignIn::BucketOf(name, secret)};
    return Keep([&](Context& context) {
      return DecideSignIn(attempt, context, rows_);
    });
  }
  // With the n-th token; the next one gets the next number.
  Attempted Refresh(int n, const Uuid& session) {
    ++tokens_;
    RefreshAttempt attempt{.subject = subject,
                           .session_id = session,
                           .digest = Digest(n),
                           .next_digest = Digest(tokens_)};
    return Keep([&](Context& context) {
      return DecideRefresh(attempt, context, rows_);
    });
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Do(absl::StatusOr<Response> (*decide)(const Request&,
                                                                 Context&,
                                                                 Rows&),
                              const Request& request) {
    Context context(call_, std::nullopt, now_);
    absl::StatusOr<Response> response = decide(request, context, rows_);
    response.ok() ? rows_.Keep() : rows_.Undo();
    marks_ = context.marks();
    return response;
  }
  absl::Status Disable() {
    v1::DisableUserRequest request;
    request.set_subject(subject.ToString());
    return Do(DecideDisableUser, request).status();
  }
  absl::Status Enable() {
    v1::EnableUserRequest request;
    request.set_subject(subject.ToString());
    return Do(DecideEnableUser, request).status();
  }
  absl::StatusOr<v1::ChangePasswordResponse> Change(const std::string& matched,
                                                    const Uuid& session) {
    call_.caller.session_id = session.ToString();
    Context context(call_, std::nullopt, now_);
    auto response =
        DecideChangePassword(matched, "$argon2id$new", context, rows_);
    response.ok() ? rows_.Keep() : rows_.Undo();
    return response;
  }

  // Whether a token of this grant is taken now.
  bool Taken(const Grant& grant) const {
    const Revocation* row = rows_.revocations.Find(subject);
    if (row == nullptr) return true;
    rpc::Revocations known;
    known.Put({.subject = subject.ToString(),
               .disabled = row->disabled,
               .before = row->revoked_before,
               .version = row->version});
    return !known.Revoked(subject.ToString(), grant.issued_at);
  }
  const User& user() const { return *rows_.users.Find(subject); }
  Rows& rows() { return rows_; }
  void Pass(absl::Duration time) { now_ += time; }
  size_t marks() const { return marks_.size(); }

  const Uuid subject = *Uuid::Parse("01900000-0000-7000-8000-000000000001");

 private:
  template <typename Decide>
  Attempted Keep(Decide decide) {
    Context context(call_, std::nullopt, now_);
    Attempted attempted = decide(context);
    rows_.Keep();
    return attempted;
  }

  Settings settings_;
  Rows rows_{settings_};
  SilentCall call_{"mtp.order.v1.SessionService", "SignIn",
                   options::v1::ROLE_SEEDUWA_OPERATOR};
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  int tokens_ = 0;
  std::vector<sync::Mark> marks_;
};

std::string ReasonOf(const Attempted& attempted) {
  return attempted.grant.has_value() ? "" : errors::Reason(attempted.refusal);
}

TEST_CASE("the right password opens a session, a wrong one is counted") {
  Desk desk;
  CHECK(ReasonOf(desk.SignIn("")) == "SIGN_IN_REFUSED");
  // It matched a hash that has been replaced meanwhile.
  CHECK(ReasonOf(desk.SignIn("$argon2id$of before")) == "SIGN_IN_REFUSED");
  CHECK(desk.user().failed_sign_ins == 2);
  const Attempted right = desk.SignIn(kHash, "$argon2id$dearer");
  REQUIRE(right.grant.has_value());
  CHECK(right.grant->username == "Nimal");
  CHECK(desk.user().failed_sign_ins == 0);
  CHECK(desk.user().password_hash == "$argon2id$dearer");
}

TEST_CASE("a try whose COMMIT was not answered is not tried against itself") {
  Desk desk;
  const SignInAttempt in{.folded_username = "nimal",
                         .subject = desk.subject,
                         .matched_hash = kHash,
                         .session_id = Uuid::V7(absl::Now()),
                         .refresh_digest = Desk::Digest(901)};
  const Attempted first = desk.Again(in);
  REQUIRE(first.grant.has_value());
  const Attempted repeated = desk.Again(in);
  REQUIRE(repeated.grant.has_value());
  CHECK(repeated.grant->session_id == first.grant->session_id);
  CHECK(repeated.grant->refresh_expires_at == first.grant->refresh_expires_at);

  const RefreshAttempt next{.subject = desk.subject,
                            .session_id = first.grant->session_id,
                            .digest = Desk::Digest(901),
                            .next_digest = Desk::Digest(902)};
  REQUIRE(desk.Again(next).grant.has_value());
  REQUIRE(desk.Again(next).grant.has_value());
  // Another one with the used token is a thief, or was robbed.
  RefreshAttempt stolen = next;
  stolen.next_digest = Desk::Digest(903);
  CHECK(ReasonOf(desk.Again(stolen)) == "SESSION_ENDED");
  CHECK(ReasonOf(desk.Again(next)) == "SESSION_ENDED");
}

TEST_CASE("while a name is locked the right password does not help") {
  Desk desk;
  for (int i = 0; i < 3; ++i) desk.SignIn("");
  CHECK(ReasonOf(desk.SignIn(kHash)) == "TOO_MANY_ATTEMPTS");
  CHECK(desk.user().failed_sign_ins == 3);
  CHECK(errors::Reason(desk.Change(kHash, Uuid{}).status()) ==
        "TOO_MANY_ATTEMPTS");
  desk.Pass(absl::Seconds(30));
  CHECK(desk.SignIn(kHash).grant.has_value());

  for (int i = 0; i < 3; ++i) {
    CHECK(ReasonOf(desk.Unknown("nobody")) == "SIGN_IN_REFUSED");
  }
  CHECK(ReasonOf(desk.Unknown("nobody")) == "TOO_MANY_ATTEMPTS");
  CHECK(ReasonOf(desk.Unknown("nobody-else")) == "SIGN_IN_REFUSED");
}

TEST_CASE("the password of who is disabled cannot be found out") {
  Desk desk;
  REQUIRE(desk.Disable().ok());
  for (int i = 0; i < 3; ++i) {
    CHECK(ReasonOf(desk.SignIn(kHash)) == "SIGN_IN_REFUSED");
  }
  CHECK(ReasonOf(desk.SignIn(kHash)) == "TOO_MANY_ATTEMPTS");
}

TEST_CASE("a refresh token is good once, its second use ends the session") {
  Desk desk;
  const Attempted first = desk.SignIn(kHash);  // token 1
  REQUIRE(first.grant.has_value());
  const Uuid session = first.grant->session_id;
  const Attempted second = desk.Refresh(1, session);  // token 2
  REQUIRE(second.grant.has_value());
  CHECK(second.grant->session_id == session);
  CHECK(ReasonOf(desk.Refresh(1, session)) == "SESSION_ENDED");
  CHECK(desk.rows().sessions.Find(session)->end_reason == "TOKEN_REUSED");
  CHECK(ReasonOf(desk.Refresh(2, session)) == "SESSION_ENDED");
  CHECK(ReasonOf(desk.Refresh(77, session)) == "SESSION_ENDED");
}

TEST_CASE("a refresh token that lay too long, or whose session did, is none") {
  Desk desk;
  const Uuid session = desk.SignIn(kHash).grant->session_id;  // token 1
  desk.Pass(absl::Hours(167));
  REQUIRE(desk.Refresh(1, session).grant.has_value());  // token 2
  desk.Pass(absl::Hours(168));
  CHECK(ReasonOf(desk.Refresh(2, session)) == "SESSION_ENDED");

  const Attempted again = desk.SignIn(kHash);  // token 4
  int token = 4;
  for (int day = 0; day < 30; ++day) {
    CHECK(desk.Refresh(token++, again.grant->session_id).grant.has_value());
    desk.Pass(absl::Hours(24));
  }
  CHECK(ReasonOf(desk.Refresh(token, again.grant->session_id)) ==
        "SESSION_ENDED");
}

TEST_CASE("of one microsecond, tokens from before a revocation are refused") {
  Desk desk;
  // The clock stands still: every call is of the same batch.
  const Grant before = *desk.SignIn(kHash).grant;
  CHECK(desk.Taken(before));
  REQUIRE(desk.Disable().ok());
  CHECK(desk.marks() == 1);
  REQUIRE(desk.Enable().ok());
  CHECK_FALSE(desk.Taken(before));
  const Grant between = *desk.SignIn(kHash).grant;
  CHECK(desk.Taken(between));
  REQUIRE(desk.Disable().ok());
  REQUIRE(desk.Enable().ok());
  CHECK_FALSE(desk.Taken(between));
  const Grant after = *desk.SignIn(kHash).grant;
  CHECK(desk.Taken(after));
}

TEST_CASE("a changed password ends the other sessions and all tokens") {
  Desk desk;
  const Grant own = *desk.SignIn(kHash).grant;  // token 1
  const Grant other = *desk.SignIn(kHash).grant;
  CHECK(errors::Reason(desk.Change("", own.session_id).status()) ==
        "WRONG_PASSWORD");
  CHECK(desk.Taken(own));
  const auto changed = desk.Change(kHash, own.session_id);
  REQUIRE(changed.ok());
  CHECK(changed->ended_session_count() == 1);
  CHECK_FALSE(desk.Taken(own));
  CHECK_FALSE(desk.rows().sessions.Find(own.session_id)->ended_at.has_value());
  CHECK(desk.rows().sessions.Find(other.session_id)->end_reason ==
        "PASSWORD_CHANGED");
  CHECK(desk.Taken(*desk.Refresh(1, own.session_id).grant));
}

TEST_CASE("of two revocations the newer counts, whichever comes first") {
  rpc::Revocations known;
  const std::string subject = "01900000-0000-7000-8000-000000000001";
  const absl::Time then = absl::FromUnixSeconds(1'800'000'000);
  known.Put(
      {.subject = subject, .disabled = false, .before = then, .version = 3});
  known.Put({.subject = subject,
             .disabled = true,
             .before = then - absl::Hours(1),
             .version = 2});
  CHECK(known.Revoked(subject, then - absl::Microseconds(1)));
  CHECK_FALSE(known.Revoked(subject, then));
  CHECK_FALSE(known.Revoked("01900000-0000-7000-8000-000000000002",
                            absl::InfinitePast()));
  // A token that does not say when it was issued.
  CHECK(known.Revoked(subject, absl::InfinitePast()));
  known.Put({.subject = subject,
             .disabled = true,
             .before = then,
             .epoch = 1,
             .version = 1});
  CHECK(known.Revoked(subject, absl::InfiniteFuture()));
}

}  // namespace
}  // namespace mtp::tests
