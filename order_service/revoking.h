#pragma once

#include <memory>
#include <string>
#include <utility>

#include "common/handlers/intercepted_call.h"
#include "common/rpc/revocations.h"
#include "order_service/rows.h"

// Ending people's tokens and sessions, for whatever calls for it.
namespace mtp::order {

// What revokes the tokens of a user touches these rows.
void TouchUser(const Uuid& subject, Rows& rows);

// Refuses all tokens of the user that were issued up to now, and tells Seeduwa;
// returns the token to wait for that.
std::string RevokeTokens(const User& user, Context& context, Rows& rows);

// Ends the user's sessions, all but one; how many were open. `reason` as the
// table has it.
int64_t EndSessions(const Uuid& subject, const Uuid& but,
                    std::string_view reason, absl::Time now, Rows& rows);

// Does the work; what it revoked of `subject` is refused in this process
// before the answer goes.
void DoRevoking(Commands& commands, rpc::Revocations& revocations,
                const Uuid& subject, std::unique_ptr<rpc::Call> call,
                handlers::Work<Rows> work);

}  // namespace mtp::order
