#include "order_service/revoking.h"

#include <algorithm>
#include <optional>

#include "common/base/clock.h"
#include "common/sync/outbox.h"

namespace mtp::order {

void TouchUser(const Uuid& subject, Rows& rows) {
  rows.users.Want(subject);
  rows.sessions_of.Want(subject);
  rows.revocations.Want(subject);
}

std::string RevokeTokens(const User& user, Context& context, Rows& rows) {
  const Revocation* known = rows.revocations.Find(user.subject);
  Revocation& revocation =
      known != nullptr ? rows.revocations.Edit(*known)
                       : rows.revocations.Insert({.subject = user.subject});
  revocation.username = user.username;
  revocation.disabled = user.disabled;
  // What is issued from now on bears this time or a later one, also where it is
  // issued in the same microsecond (see IssuedAt in sessions.cc).
  if (revocation.version == 0) revocation.revoked_before = context.now();
  revocation.revoked_before =
      std::max(revocation.revoked_before, context.now()) +
      absl::Microseconds(1);
  ++revocation.version;
  revocation.changed_at = ChangeAfter(revocation.changed_at, context.now());
  return context.Tell(sync::kRevocation, user.subject.ToString(),
                      revocation.version);
}

int64_t EndSessions(const Uuid& subject, const Uuid& but,
                    std::string_view reason, absl::Time now, Rows& rows) {
  int64_t ended = 0;
  for (const SignedIn* session : rows.sessions.All()) {
    if (session->subject != subject || session->session_id == but ||
        session->ended_at.has_value()) {
      continue;
    }
    if (session->Open(now)) ++ended;
    rows.sessions.Edit(*session).End(now, reason);
  }
  return ended;
}

void DoRevoking(Commands& commands, rpc::Revocations& revocations,
                const Uuid& subject, std::unique_ptr<rpc::Call> call,
                handlers::Work<Rows> work) {
  auto revoked = std::make_shared<std::optional<Revocation>>();
  auto intercepted = std::make_unique<handlers::InterceptedCall>(
      std::move(call),
      [revoked, &revocations](std::unique_ptr<rpc::Call> inner,
                              absl::StatusOr<std::string> answer) {
        if (!answer.ok()) return inner->Fail(answer.status());
        if (revoked->has_value()) {
          const Revocation& row = **revoked;
          revocations.Put({.subject = row.subject.ToString(),
                           .disabled = row.disabled,
                           .before = row.revoked_before,
                           .version = row.version});
        }
        inner->Reply(*std::move(answer));
      });
  commands.Do(std::move(intercepted),
              {.touch = std::move(work.touch),
               .decide = [subject, revoked, decide = std::move(work.decide)](
                             Context& context,
                             Rows& rows) -> absl::StatusOr<std::string> {
                 absl::StatusOr<std::string> reply = decide(context, rows);
                 const Revocation* row = rows.revocations.Find(subject);
                 if (reply.ok() && row != nullptr) *revoked = *row;
                 return reply;
               },
               .remembered = work.remembered});
}

}  // namespace mtp::order
