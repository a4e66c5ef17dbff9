#include "order_service/session_calls.h"

#include <sodium.h>

#include <memory>
#include <utility>

#include "common/base/errors.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/handlers/intercepted_call.h"
#include "common/rpc/base64url.h"
#include "common/rpc/token.h"
#include "order_service/errors.h"
#include "order_service/password_calls.h"
#include "order_service/revoking.h"
#include "order_service/sessions.h"

namespace mtp::order {
namespace {

using handlers::InterceptedCall;

constexpr size_t kRefreshTokenBytes = 32;

std::string NewRefreshToken() {
  std::string random(kRefreshTokenBytes, '\0');
  randombytes_buf(random.data(), random.size());
  return rpc::Base64UrlEncode(random);
}

// --- the answer to a try

absl::StatusOr<v1::SessionTokens> MakeTokens(const IdentityParts& parts,
                                             const Grant& grant,
                                             const std::string& refresh_token) {
  const absl::Duration lifetime =
      absl::Seconds(parts.settings.access_token_seconds);
  ASSIGN_OR_RETURN(
      std::string access_token,
      parts.keys.Sign({.issuer = parts.tokens.issuer,
                       .audience = parts.tokens.audience,
                       .subject = grant.subject.ToString(),
                       .username = grant.username,
                       .role = grant.role,
                       .issued_at = grant.issued_at,
                       .lifetime = lifetime,
                       .session_id = grant.session_id.ToString(),
                       .must_change_password = grant.must_change_password}));
  v1::SessionTokens tokens;
  tokens.set_access_token(std::move(access_token));
  // As the token has it: in whole seconds.
  *tokens.mutable_access_expires_at() = ToProto(
      absl::FromUnixSeconds(absl::ToUnixSeconds(grant.issued_at + lifetime)));
  tokens.set_refresh_token(refresh_token);
  *tokens.mutable_refresh_expires_at() = ToProto(grant.refresh_expires_at);
  tokens.set_subject(grant.subject.ToString());
  tokens.set_username(grant.username);
  tokens.set_role(grant.role);
  tokens.set_must_change_password(grant.must_change_password);
  return tokens;
}

// Makes the try in a lane; what it brought is kept even if it is refused.
template <typename Response>
void Attempt(IdentityParts& parts, std::unique_ptr<rpc::Call> call,
             const std::string& refresh_token, std::function<void(Rows&)> touch,
             std::function<Attempted(Context&, Rows&)> decide) {
  auto refusal = std::make_shared<absl::Status>();
  auto intercepted = std::make_unique<InterceptedCall>(
      std::move(call), [refusal](std::unique_ptr<rpc::Call> inner,
                                 absl::StatusOr<std::string> answer) {
        if (!answer.ok()) return inner->Fail(answer.status());
        if (!refusal->ok()) return inner->Fail(*refusal);
        inner->Reply(*std::move(answer));
      });
  parts.commands.Do(
      std::move(intercepted),
      {.touch = std::move(touch),
       .decide = [&parts, refusal, refresh_token, decide = std::move(decide)](
                     Context& context,
                     Rows& rows) -> absl::StatusOr<std::string> {
         const Attempted attempted = decide(context, rows);
         *refusal = attempted.refusal;
         if (!attempted.grant.has_value()) return std::string();
         // Without a token nothing has happened: a refresh token
         // is not used up.
         Response response;
         ASSIGN_OR_RETURN(*response.mutable_session(),
                          MakeTokens(parts, *attempted.grant, refresh_token));
         return response.SerializeAsString();
       },
       .remembered = false});
}

// --- SignIn

constexpr db::Statement kFindByName{R"(
  SELECT subject, username, role, password_hash FROM admin.user_account
  WHERE lower(username) = $1::text
)"};

struct Found {
  std::optional<Uuid> subject;
  std::string username;
  options::v1::Role role = options::v1::ROLE_UNSPECIFIED;
  std::string password_hash;
};

Found ReadFound(const db::Results& results) {
  Found found;
  if (!results[0].empty()) {
    results[0][0].Into(found.subject, found.username, found.role,
                       found.password_hash);
  }
  return found;
}

void CheckAndSignIn(IdentityParts& parts, const Found& found,
                    const std::string& folded_username,
                    const SecretPtr& password,
                    std::unique_ptr<rpc::Call> call) {
  const std::string refresh_token = NewRefreshToken();
  SignInAttempt attempt{
      .folded_username = folded_username,
      .bucket = UnknownSignIn::BucketOf(folded_username, parts.lockout_secret),
      .subject = found.subject,
      .matched_hash = "",
      .dearer_hash = "",
      .session_id = Uuid::V7(call->received),
      .refresh_digest = TokenDigest::Of(refresh_token),
      .client = call->remote_address};
  const absl::StatusOr<bool> matches =
      parts.hasher.Matches(password->text, found.password_hash);
  if (!matches.ok()) return call->Fail(matches.status());
  // Also where it does not match: the time it takes tells nothing.
  std::string dearer_hash;
  if (found.subject.has_value() && parts.hasher.IsCheap(found.password_hash))
    dearer_hash = parts.hasher.Hash(password->text).value_or("");
  if (*matches) {
    attempt.matched_hash = found.password_hash;
    attempt.dearer_hash = std::move(dearer_hash);
    // Whoever knows the password is the one who does this.
    call->caller = {.kind = rpc::Caller::Kind::kPerson,
                    .subject = found.subject->ToString(),
                    .username = found.username,
                    .role = found.role};
  }
  Attempt<v1::SignInResponse>(
      parts, std::move(call), refresh_token,
      [attempt](Rows& rows) {
        rows.sessions.Want(attempt.session_id);
        rows.refresh_tokens.Want(attempt.refresh_digest);
        if (attempt.subject.has_value()) {
          rows.users.Want(*attempt.subject);
          rows.revocations.Want(*attempt.subject);
        }
        // Also for who has just gone or got another name.
        rows.unknown_sign_ins.Want(attempt.bucket);
      },
      [attempt](Context& context, Rows& rows) {
        return DecideSignIn(attempt, context, rows);
      });
}

void SignIn(IdentityParts& parts, std::unique_ptr<rpc::Call> call) {
  const SecretPtr password = TakeSecret(*call, "password");
  const std::string folded = absl::AsciiStrToLower(
      static_cast<const v1::SignInRequest&>(*call->message).username());
  db::Exchange exchange;
  exchange.Add(kFindByName, db::Params().Add(folded));
  ReadFirst(parts.queries, std::move(exchange), std::move(call),
            [&parts, password, folded](std::unique_ptr<rpc::Call> read,
                                       const db::Results& results) {
              InPool(parts.pool, std::move(read),
                     [&parts, password, folded, found = ReadFound(results)](
                         std::unique_ptr<rpc::Call> mine) {
                       CheckAndSignIn(parts, found, folded, password,
                                      std::move(mine));
                     });
            });
}

// --- RefreshSession

constexpr db::Statement kFindByToken{R"(
  SELECT subject, session_id, username, role
  FROM admin.refresh_token
  JOIN admin.session USING (session_id)
  JOIN admin.user_account USING (subject)
  WHERE token_digest = $1::bytea
)"};

void RefreshSession(IdentityParts& parts, std::unique_ptr<rpc::Call> call) {
  const SecretPtr token = TakeSecret(*call, "refresh_token");
  const TokenDigest digest = TokenDigest::Of(token->text);
  db::Exchange exchange;
  exchange.Add(kFindByToken, db::Params().Add(db::Bytes{digest.bytes}));
  ReadFirst(parts.queries, std::move(exchange), std::move(call),
            [&parts, digest](std::unique_ptr<rpc::Call> mine,
                             const db::Results& results) {
              if (results[0].empty()) return mine->Fail(errors::SessionEnded());
              RefreshAttempt attempt{.digest = digest};
              rpc::Caller whose{.kind = rpc::Caller::Kind::kPerson};
              results[0][0].Into(attempt.subject, attempt.session_id,
                                 whose.username, whose.role);
              whose.subject = attempt.subject.ToString();
              const std::string next = NewRefreshToken();
              attempt.next_digest = TokenDigest::Of(next);
              mine->caller = std::move(whose);
              Attempt<v1::RefreshSessionResponse>(
                  parts, std::move(mine), next,
                  [attempt](Rows& rows) {
                    rows.users.Want(attempt.subject);
                    rows.sessions.Want(attempt.session_id);
                    rows.refresh_tokens.Want(attempt.digest);
                    rows.refresh_tokens.Want(attempt.next_digest);
                    rows.revocations.Want(attempt.subject);
                  },
                  [attempt](Context& context, Rows& rows) {
                    return DecideRefresh(attempt, context, rows);
                  });
            });
}

// --- SignOut

void SignOut(IdentityParts& parts, std::unique_ptr<rpc::Call> call) {
  const auto request = std::make_shared<const v1::SignOutRequest>(
      static_cast<const v1::SignOutRequest&>(*call->message));
  const Uuid subject = CallerSubject(call->caller);
  DoRevoking(parts.commands, parts.revocations, subject, std::move(call),
             {.touch = [subject](Rows& rows) { TouchUser(subject, rows); },
              .decide = [request](Context& context,
                                  Rows& rows) -> absl::StatusOr<std::string> {
                ASSIGN_OR_RETURN(const v1::SignOutResponse response,
                                 DecideSignOut(*request, context, rows));
                return response.SerializeAsString();
              }});
}

// --- ChangePassword

constexpr db::Statement kFindBySubject{R"(
  SELECT subject, username, role, password_hash FROM admin.user_account
  WHERE subject = $1::uuid
)"};

// A refused change leaves no trace; that the password was wrong must.
void CountAndFail(IdentityParts& parts, std::unique_ptr<rpc::Call> call,
                  const absl::Status& refusal) {
  const Uuid subject = CallerSubject(call->caller);
  auto intercepted = std::make_unique<InterceptedCall>(
      std::move(call), [refusal](std::unique_ptr<rpc::Call> inner,
                                 absl::StatusOr<std::string> counted) {
        inner->Fail(counted.ok() ? refusal : counted.status());
      });
  parts.commands.Do(
      std::move(intercepted),
      {.touch = [subject](Rows& rows) { rows.users.Want(subject); },
       .decide = [](Context& context,
                    Rows& rows) -> absl::StatusOr<std::string> {
         CountWrongPassword(context, rows);
         return std::string();
       },
       .remembered = false});
}

void CheckAndChange(IdentityParts& parts, const Found& found,
                    const SecretPtr& current, const SecretPtr& fresh,
                    std::unique_ptr<rpc::Call> call) {
  const absl::StatusOr<bool> right =
      parts.hasher.Matches(current->text, found.password_hash);
  if (!right.ok()) return call->Fail(right.status());
  if (absl::Status bound = BindSecrets(parts.hasher, {current, fresh}, *call);
      !bound.ok()) {
    return call->Fail(bound);
  }
  // That it is the same is said only behind the lock, to who knows it.
  absl::StatusOr<std::string> hash = std::string();
  if (current->text != fresh->text) hash = parts.hasher.Hash(fresh->text);
  if (!hash.ok()) return call->Fail(hash.status());
  const Uuid subject = *found.subject;
  auto intercepted = std::make_unique<InterceptedCall>(
      std::move(call), [&parts](std::unique_ptr<rpc::Call> inner,
                                absl::StatusOr<std::string> answer) {
        if (answer.ok()) return inner->Reply(*std::move(answer));
        if (errors::Reason(answer.status()) != "WRONG_PASSWORD") {
          return inner->Fail(answer.status());
        }
        CountAndFail(parts, std::move(inner), answer.status());
      });
  DoRevoking(
      parts.commands, parts.revocations, subject, std::move(intercepted),
      {.touch = [subject](Rows& rows) { TouchUser(subject, rows); },
       .decide = [matched = *right ? found.password_hash : std::string(),
                  hash = *hash](Context& context,
                                Rows& rows) -> absl::StatusOr<std::string> {
         ASSIGN_OR_RETURN(const v1::ChangePasswordResponse response,
                          DecideChangePassword(matched, hash, context, rows));
         return response.SerializeAsString();
       }});
}

void ChangePassword(IdentityParts& parts, std::unique_ptr<rpc::Call> call) {
  const SecretPtr current = TakeSecret(*call, "current_password");
  const SecretPtr fresh = TakeSecret(*call, "new_password");
  db::Exchange exchange;
  exchange.Add(kFindBySubject, db::Params().Add(CallerSubject(call->caller)));
  ReadFirst(
      parts.queries, std::move(exchange), std::move(call),
      [&parts, current, fresh](std::unique_ptr<rpc::Call> read,
                               const db::Results& results) {
        const Found found = ReadFound(results);
        if (!found.subject.has_value()) {
          return read->Fail(errors::ExternalIdentity());
        }
        if (const std::string why = WeaknessOf(fresh->text, found.username);
            !why.empty()) {
          return read->Fail(errors::PasswordTooWeak("new_password", why));
        }
        InPool(
            parts.pool, std::move(read),
            [&parts, current, fresh, found](std::unique_ptr<rpc::Call> mine) {
              CheckAndChange(parts, found, current, fresh, std::move(mine));
            });
      });
}

}  // namespace

void AddSessions(IdentityParts& parts) {
  rpc::Router& router = parts.commands.router();
  const auto route =
      [&](const char* method,
          void (*handle)(IdentityParts&, std::unique_ptr<rpc::Call>)) {
        router.Route(std::string("mtp.order.v1.SessionService/") + method,
                     [&parts, handle](std::unique_ptr<rpc::Call> call) {
                       handle(parts, std::move(call));
                     });
      };
  route("SignIn", SignIn);
  route("RefreshSession", RefreshSession);
  route("SignOut", SignOut);
  route("ChangePassword", ChangePassword);
  route("GetJsonWebKeySet",
        [](IdentityParts& its, std::unique_ptr<rpc::Call> call) {
          v1::GetJsonWebKeySetResponse response;
          for (const v1::JsonWebKey& key : its.keys.Published()) {
            *response.add_keys() = key;
          }
          call->Reply(response.SerializeAsString());
        });
}

void AddForeignSessions(Commands& commands) {
  rpc::Router& router = commands.router();
  for (const char* method :
       {"SignIn", "RefreshSession", "SignOut", "ChangePassword"}) {
    router.Route(std::string("mtp.order.v1.SessionService/") + method,
                 [](std::unique_ptr<rpc::Call> call) {
                   call->Fail(errors::ExternalIdentity());
                 });
  }
  router.Route(
      "mtp.order.v1.SessionService/GetJsonWebKeySet",
      [](std::unique_ptr<rpc::Call> call) {
        call->Reply(v1::GetJsonWebKeySetResponse().SerializeAsString());
      });
}

}  // namespace mtp::order
