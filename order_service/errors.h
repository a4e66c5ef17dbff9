#pragma once

#include "absl/status/status.h"
#include "common/base/errors.h"
#include "common/base/uuid.h"
#include "google/rpc/status.pb.h"

// What the order service refuses, by name. The reasons are the contract's.
namespace mtp::order {

struct Plan;
struct Schedule;
struct Shipment;

namespace errors {

using namespace mtp::errors;

absl::Status PlanNotFound(std::string_view order_code);
absl::Status PlanImportNotFound(std::string_view import_id);
absl::Status RequestImportNotFound(std::string_view import_id);
absl::Status RequestNotFound(std::string_view request_code);

// Something was requested under the plan's order code, if only cancelled.
absl::Status PlanHasRequests(std::string_view order_code,
                             int64_t request_count);
// The thing changed since the caller read it.
absl::Status EtagMismatch(std::string_view kind, std::string_view key);

// Beyond what is allowed, and approval was not asked for.
absl::Status NeedsApproval(std::string_view order_code, int64_t asked_grams,
                           int64_t allowed_grams);
// The request names another product or item than its plan.
absl::Status ProductDiffers(const Plan& plan);
// There is no plan that would say which product is meant.
absl::Status ProductNeeded(std::string_view order_code);

absl::Status ShipmentNotFound(std::string_view key);
// Its status does not allow to lower or cancel it.
absl::Status ShipmentNotOpen(const Shipment& shipment);
// Its status does not allow this step.
absl::Status WrongShipmentStatus(const Shipment& shipment);
// What the gate says cannot be said of what left; `why` is a sentence.
absl::Status AcceptanceImpossible(const Shipment& shipment, std::string why);
absl::Status QuantityCannotGrow(const Shipment& shipment, int64_t asked_grams);
absl::Status BelowAllocated(const Shipment& shipment, int64_t asked_grams);
absl::Status ShipmentHasAllocations(const Shipment& shipment);
// A barcode is in more than one list of differences.
absl::Status BarcodeTwice(std::string_view barcode);

absl::Status ScheduleNotFound(std::string_view schedule_code);
absl::Status ScheduleCompleted(const Schedule& schedule);
absl::Status ScheduleNotCompleted(const Schedule& schedule);
// The mask names something that cannot be changed.
absl::Status UpdateMaskInvalid(std::string_view path);

absl::Status PageTokenInvalid();

absl::Status UserNotFound(std::string_view subject);
absl::Status UsernameTaken();
// Without this user nobody could administer.
absl::Status LastMasterAdmin(std::string_view username);
// The company's identity provider signs this person in, or everybody.
absl::Status ExternalIdentity();
// `why` as WeaknessOf has it.
absl::Status PasswordTooWeak(std::string_view field, std::string_view why);
absl::Status PasswordUnchanged();
absl::Status WrongPassword();
absl::Status TooManyAttempts(absl::Duration retry_delay);
absl::Status SignInRefused();
absl::Status SessionEnded();

// A refusal as one of the results of a batch call: with the details it would
// have had as the outcome of a call of its own.
google::rpc::Status AsResult(const absl::Status& status,
                             std::string_view correlation_id);

// The words for a constraint of the database that a call ran into although its
// decision had let it pass; OK for a constraint without such words.
absl::Status OfConstraint(std::string_view constraint);

}  // namespace errors
}  // namespace mtp::order
