#pragma once

#include "common/handlers/hearing.h"
#include "common/rpc/revocations.h"
#include "processing_service/rows.h"

// Whose tokens are refused, as Grandpass tells it.
namespace mtp::processing {

// What is heard is in `revocations`, which outlives this, before Grandpass gets
// its answer.
void AddRevocations(Commands& commands, rpc::Revocations& revocations);

// How one is heard. What comes out of a dead letter every process learns from
// the database, like another replica's.
handlers::Hearing<Rows, sync::v1::RevocationState> RevocationHearing();

// For a sync::RevocationWatch: what other replicas heard.
extern const db::Statement kRevocationsHeard;

// The decision, for tests.
absl::StatusOr<sync::v1::ApplyRevocationsResponse> DecideApplyRevocations(
    const sync::v1::ApplyRevocationsRequest& request, Context& context,
    Rows& rows);

}  // namespace mtp::processing
