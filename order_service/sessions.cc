#include "order_service/sessions.h"

#include <algorithm>

#include "order_service/errors.h"
#include "order_service/lockout.h"
#include "order_service/revoking.h"

namespace mtp::order {
namespace {

LockPolicy PolicyOf(const IdentitySettings& settings) {
  return {.after = settings.lock_after,
          .first = absl::Seconds(settings.lock_seconds),
          .longest = absl::Seconds(settings.lock_limit_seconds)};
}

// Not before what was revoked last, which a clock that runs behind could make
// of it.
absl::Time IssuedAt(const Uuid& subject, const Context& context,
                    const Rows& rows) {
  const Revocation* revocation = rows.revocations.Find(subject);
  return revocation == nullptr
             ? context.now()
             : std::max(context.now(), revocation->revoked_before);
}

Grant GrantTo(const User& user, const Uuid& session_id,
              absl::Time refresh_expires_at, const Context& context,
              const Rows& rows) {
  return {.subject = user.subject,
          .username = user.username,
          .role = user.role,
          .must_change_password = user.must_change_password,
          .session_id = session_id,
          .issued_at = IssuedAt(user.subject, context, rows),
          .refresh_expires_at = refresh_expires_at};
}

absl::Time RefreshExpiry(absl::Time now, absl::Time session_expires_at,
                         const IdentitySettings& settings) {
  return std::min(session_expires_at,
                  now + absl::Hours(settings.refresh_token_hours));
}

// Counts a wrong try under a name that nobody has.
absl::Status CountUnknown(const SignInAttempt& attempt, Context& context,
                          Rows& rows) {
  const int64_t bucket = attempt.bucket;
  const UnknownSignIn* known = rows.unknown_sign_ins.Find(bucket);
  Guesses guesses = known == nullptr ? Guesses{} : known->guesses();
  if (guesses.Locked(context.now())) {
    return errors::TooManyAttempts(*guesses.locked_until - context.now());
  }
  guesses.Count(PolicyOf(rows.settings.identity), context.now());
  UnknownSignIn& row = known == nullptr
                           ? rows.unknown_sign_ins.Insert({.bucket = bucket})
                           : rows.unknown_sign_ins.Edit(*known);
  row.Set(guesses);
  return errors::SignInRefused();
}

// Counts a wrong password of a user's.
void CountWrong(const User& found, Context& context, Rows& rows) {
  Guesses guesses = found.guesses();
  guesses.Count(PolicyOf(rows.settings.identity), context.now());
  User& user = rows.users.Edit(found);
  user.Set(guesses);
  context.Audit("user", user.subject.ToString(), "password_refused",
                {{"username", user.username},
                 {"failed_sign_ins", user.failed_sign_ins},
                 {"locked", guesses.Locked(context.now())}});
}

Uuid CallerSession(const rpc::Caller& caller) {
  return Uuid::Parse(caller.session_id).value_or(Uuid{});
}

}  // namespace

Uuid CallerSubject(const rpc::Caller& caller) {
  return Uuid::Parse(caller.subject).value_or(Uuid{});
}

Attempted DecideSignIn(const SignInAttempt& attempt, Context& context,
                       Rows& rows) {
  const User* found =
      attempt.subject.has_value() ? rows.users.Find(*attempt.subject) : nullptr;
  if (found == nullptr || found->folded_username() != attempt.folded_username) {
    return {.grant = {}, .refusal = CountUnknown(attempt, context, rows)};
  }
  // Done already, and the answer to COMMIT was lost.
  if (const RefreshToken* token =
          rows.refresh_tokens.Find(attempt.refresh_digest);
      token != nullptr && rows.sessions.Find(attempt.session_id) != nullptr) {
    return {.grant = GrantTo(*found, attempt.session_id, token->expires_at,
                             context, rows),
            .refusal = {}};
  }
  if (found->guesses().Locked(context.now())) {
    return {.grant = {},
            .refusal =
                errors::TooManyAttempts(*found->locked_until - context.now())};
  }
  const bool right = !attempt.matched_hash.empty() &&
                     attempt.matched_hash == found->password_hash;
  // Of one who is disabled nobody shall find out the password either.
  if (!right || found->disabled) {
    CountWrong(*found, context, rows);
    return {.grant = {}, .refusal = errors::SignInRefused()};
  }

  const IdentitySettings& settings = rows.settings.identity;
  User& user = rows.users.Edit(*found);
  user.Set(Guesses{});
  user.last_signed_in_at = context.now();
  if (!attempt.dearer_hash.empty()) user.password_hash = attempt.dearer_hash;
  const SignedIn& session = rows.sessions.Insert(
      {.session_id =
           attempt.session_id.IsNil() ? context.NewId() : attempt.session_id,
       .subject = user.subject,
       .created_at = context.now(),
       .last_refreshed_at = context.now(),
       .expires_at = context.now() + absl::Hours(24) * settings.session_days,
       .ended_at = {},
       .end_reason = {},
       .client = attempt.client});
  const absl::Time refresh_expires_at =
      RefreshExpiry(context.now(), session.expires_at, settings);
  rows.refresh_tokens.Insert({.token_digest = {attempt.refresh_digest.bytes},
                              .session_id = session.session_id,
                              .issued_at = context.now(),
                              .expires_at = refresh_expires_at,
                              .used_at = {}});
  context.Audit("user", user.subject.ToString(), "signed_in",
                {{"username", user.username},
                 {"session_id", session.session_id.ToString()}});
  return {.grant = GrantTo(user, session.session_id, refresh_expires_at,
                           context, rows),
          .refusal = {}};
}

Attempted DecideRefresh(const RefreshAttempt& attempt, Context& context,
                        Rows& rows) {
  const Attempted over{.grant = {}, .refusal = errors::SessionEnded()};
  const RefreshToken* token = rows.refresh_tokens.Find(attempt.digest);
  const SignedIn* found = rows.sessions.Find(attempt.session_id);
  const User* user = rows.users.Find(attempt.subject);
  if (token == nullptr || found == nullptr || user == nullptr) return over;
  if (const RefreshToken* next = rows.refresh_tokens.Find(attempt.next_digest);
      token->used_at.has_value() && next != nullptr &&
      found->Open(context.now()) && !user->disabled) {
    // Used by this very call, and the answer to COMMIT was lost.
    return {.grant = GrantTo(*user, found->session_id, next->expires_at,
                             context, rows),
            .refusal = {}};
  }
  if (token->used_at.has_value()) {
    if (!found->ended_at.has_value()) {
      rows.sessions.Edit(*found).End(context.now(), "TOKEN_REUSED");
      context.Audit("user", user->subject.ToString(), "refresh_token_reused",
                    {{"username", user->username},
                     {"session_id", found->session_id.ToString()}});
    }
    return over;
  }
  if (!found->Open(context.now()) || token->expires_at <= context.now() ||
      user->disabled) {
    return over;
  }
  rows.refresh_tokens.Edit(*token).used_at = context.now();
  rows.refresh_token_uses.Append(
      {.token_digest = token->token_digest, .used_at = context.now()});
  SignedIn& session = rows.sessions.Edit(*found);
  session.last_refreshed_at = context.now();
  const absl::Time refresh_expires_at =
      RefreshExpiry(context.now(), session.expires_at, rows.settings.identity);
  rows.refresh_tokens.Insert({.token_digest = {attempt.next_digest.bytes},
                              .session_id = session.session_id,
                              .issued_at = context.now(),
                              .expires_at = refresh_expires_at,
                              .used_at = {}});
  return {.grant = GrantTo(*user, session.session_id, refresh_expires_at,
                           context, rows),
          .refusal = {}};
}

absl::StatusOr<v1::SignOutResponse> DecideSignOut(
    const v1::SignOutRequest& request, Context& context, Rows& rows) {
  const User* user = rows.users.Find(CallerSubject(context.caller()));
  if (user == nullptr) return errors::ExternalIdentity();
  v1::SignOutResponse response;
  if (request.everywhere()) {
    response.set_ended_session_count(
        EndSessions(user->subject, Uuid{}, "SIGNED_OUT", context.now(), rows));
    response.set_sync_token(RevokeTokens(*user, context, rows));
  } else {
    const SignedIn* session =
        rows.sessions.Find(CallerSession(context.caller()));
    if (session != nullptr && session->subject == user->subject &&
        !session->ended_at.has_value()) {
      response.set_ended_session_count(session->Open(context.now()) ? 1 : 0);
      rows.sessions.Edit(*session).End(context.now(), "SIGNED_OUT");
    }
  }
  context.Audit("user", user->subject.ToString(), "signed_out",
                {{"username", user->username},
                 {"everywhere", request.everywhere()},
                 {"ended_session_count", response.ended_session_count()}});
  return response;
}

absl::StatusOr<v1::ChangePasswordResponse> DecideChangePassword(
    const std::string& matched_hash, const std::string& new_hash,
    Context& context, Rows& rows) {
  const User* found = rows.users.Find(CallerSubject(context.caller()));
  if (found == nullptr) return errors::ExternalIdentity();
  if (found->guesses().Locked(context.now())) {
    return errors::TooManyAttempts(*found->locked_until - context.now());
  }
  if (found->disabled) return errors::SessionEnded();
  if (matched_hash.empty() || matched_hash != found->password_hash) {
    return errors::WrongPassword();
  }
  if (new_hash.empty()) return errors::PasswordUnchanged();
  User& user = rows.users.Edit(*found);
  user.password_hash = new_hash;
  user.must_change_password = false;
  user.password_changed_at = context.now();
  user.Set(Guesses{});
  user.Changed(context.now());
  v1::ChangePasswordResponse response;
  response.set_ended_session_count(
      EndSessions(user.subject, CallerSession(context.caller()),
                  "PASSWORD_CHANGED", context.now(), rows));
  response.set_sync_token(RevokeTokens(user, context, rows));
  context.Audit("user", user.subject.ToString(), "password_changed",
                {{"username", user.username},
                 {"ended_session_count", response.ended_session_count()}});
  return response;
}

void CountWrongPassword(Context& context, Rows& rows) {
  const User* user = rows.users.Find(CallerSubject(context.caller()));
  if (user != nullptr && !user->guesses().Locked(context.now())) {
    CountWrong(*user, context, rows);
  }
}

}  // namespace mtp::order
