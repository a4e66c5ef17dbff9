#include "order_service/errors.h"

#include "absl/strings/str_cat.h"
#include "common/base/weights.h"
#include "common/handlers/file_imports.h"
#include "common/rpc/status.h"
#include "google/rpc/error_details.pb.h"
#include "order_service/plan_rows.h"
#include "order_service/schedule_rows.h"
#include "order_service/shipment_rows.h"

namespace mtp::order::errors {
namespace {

std::string Number(int64_t value) { return std::to_string(value); }

std::string StatusSentence(const Shipment& shipment) {
  return absl::StrCat("shipment ", shipment.key().Text(), " is ",
                      std::string(db::EnumText(shipment.status)));
}

Values StatusValues(const Shipment& shipment) {
  return {{"shipment", shipment.key().Text()},
          {"status", common::v1::ShipmentStatus_Name(shipment.status)}};
}

}  // namespace

absl::Status PlanNotFound(std::string_view order_code) {
  return NotFound("plan", order_code);
}
absl::Status PlanImportNotFound(std::string_view import_id) {
  return NotFound("plan import", import_id);
}
absl::Status RequestImportNotFound(std::string_view import_id) {
  return NotFound("request import", import_id);
}
absl::Status RequestNotFound(std::string_view request_code) {
  return NotFound("request", request_code);
}

absl::Status PlanHasRequests(std::string_view order_code,
                             int64_t request_count) {
  return FailedPrecondition("PLAN_HAS_REQUESTS",
                            absl::StrCat("plan ", std::string(order_code),
                                         " has requests: ", request_count),
                            {{"order_code", std::string(order_code)},
                             {"request_count", Number(request_count)}});
}

absl::Status EtagMismatch(std::string_view kind, std::string_view key) {
  return Aborted("ETAG_MISMATCH",
                 absl::StrCat(std::string(kind), " ", std::string(key),
                              " has changed since it was read"),
                 {{"kind", std::string(kind)}, {"key", std::string(key)}});
}

absl::Status NeedsApproval(std::string_view order_code, int64_t asked_grams,
                           int64_t allowed_grams) {
  return FailedPrecondition(
      "NEEDS_APPROVAL",
      absl::StrCat(Kilograms(asked_grams), " of ", std::string(order_code),
                   " were asked, ", Kilograms(allowed_grams),
                   " are allowed without approval"),
      {{"order_code", std::string(order_code)},
       {"allowed_grams", Number(allowed_grams)},
       {"requirement_grams", Number(asked_grams)}});
}

absl::Status ProductDiffers(const Plan& plan) {
  return FailedPrecondition(
      "PRODUCT_DIFFERS",
      absl::StrCat("the plan of ", plan.order_code, " is of ",
                   plan.product_name, " (", plan.item_code, ")"),
      {{"order_code", plan.order_code},
       {"product_name", plan.product_name},
       {"item_code", plan.item_code}});
}

absl::Status ProductNeeded(std::string_view order_code) {
  return FailedPrecondition(
      "PRODUCT_NEEDED",
      absl::StrCat("there is no plan for ", std::string(order_code),
                   ": the request must name product and item"),
      {{"order_code", std::string(order_code)}});
}

absl::Status ShipmentNotFound(std::string_view key) {
  return NotFound("shipment", key);
}

absl::Status ShipmentNotOpen(const Shipment& shipment) {
  return FailedPrecondition("SHIPMENT_NOT_OPEN", StatusSentence(shipment),
                            StatusValues(shipment));
}

absl::Status WrongShipmentStatus(const Shipment& shipment) {
  return FailedPrecondition("WRONG_SHIPMENT_STATUS", StatusSentence(shipment),
                            StatusValues(shipment));
}

absl::Status AcceptanceImpossible(const Shipment& shipment, std::string why) {
  return FailedPrecondition(
      "ACCEPTANCE_IMPOSSIBLE", std::move(why),
      {{"shipment", shipment.key().Text()},
       {"dispatched_grams", Number(shipment.dispatched_grams)},
       {"bag_count", Number(shipment.dispatched_bags)}});
}

absl::Status QuantityCannotGrow(const Shipment& shipment, int64_t asked_grams) {
  return FailedPrecondition(
      "QUANTITY_CANNOT_GROW",
      absl::StrCat("shipment ", shipment.key().Text(), " is of ",
                   Kilograms(shipment.quantity_grams), " and cannot grow to ",
                   Kilograms(asked_grams), ": make a new request"),
      {{"shipment", shipment.key().Text()},
       {"quantity_grams", Number(shipment.quantity_grams)},
       {"asked_grams", Number(asked_grams)}});
}

absl::Status BelowAllocated(const Shipment& shipment, int64_t asked_grams) {
  return FailedPrecondition(
      "BELOW_ALLOCATED",
      absl::StrCat(Kilograms(shipment.allocated_grams),
                   " are allocated to shipment ", shipment.key().Text(),
                   ", it cannot be lowered to ", Kilograms(asked_grams)),
      {{"shipment", shipment.key().Text()},
       {"allocated_grams", Number(shipment.allocated_grams)},
       {"asked_grams", Number(asked_grams)}});
}

absl::Status ShipmentHasAllocations(const Shipment& shipment) {
  return FailedPrecondition(
      "SHIPMENT_HAS_ALLOCATIONS",
      absl::StrCat(Kilograms(shipment.allocated_grams),
                   " are allocated to shipment ", shipment.key().Text()),
      {{"shipment", shipment.key().Text()},
       {"allocated_grams", Number(shipment.allocated_grams)}});
}

absl::Status BarcodeTwice(std::string_view barcode) {
  return Make(absl::StatusCode::kInvalidArgument, "BARCODE_TWICE",
              absl::StrCat("bag ", std::string(barcode),
                           " is in more than one list of differences"),
              {{"barcode", std::string(barcode)}});
}

absl::Status ScheduleNotFound(std::string_view schedule_code) {
  return NotFound("schedule", schedule_code);
}

absl::Status ScheduleCompleted(const Schedule& schedule) {
  return FailedPrecondition(
      "SCHEDULE_COMPLETED",
      absl::StrCat("schedule ", schedule.KeyText(), " is completed"),
      {{"schedule_code", schedule.KeyText()}});
}

absl::Status ScheduleNotCompleted(const Schedule& schedule) {
  return FailedPrecondition(
      "SCHEDULE_NOT_COMPLETED",
      absl::StrCat("schedule ", schedule.KeyText(), " is not completed"),
      {{"schedule_code", schedule.KeyText()}});
}

absl::Status UpdateMaskInvalid(std::string_view path) {
  return Make(absl::StatusCode::kInvalidArgument, "UPDATE_MASK_INVALID",
              absl::StrCat("`", std::string(path), "` cannot be changed"),
              {{"path", std::string(path)}});
}

absl::Status PageTokenInvalid() {
  return Make(absl::StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID",
              "the page token does not belong to this filter and order");
}

absl::Status UserNotFound(std::string_view subject) {
  return NotFound("user", subject);
}

absl::Status UsernameTaken() {
  return AlreadyExists("USERNAME_TAKEN",
                       "another user has this username, letters of either case "
                       "being the same");
}

absl::Status LastMasterAdmin(std::string_view username) {
  return FailedPrecondition(
      "LAST_MASTER_ADMIN",
      absl::StrCat("without ", std::string(username),
                   " nobody who can administer would be left"),
      {{"username", std::string(username)}});
}

absl::Status ExternalIdentity() {
  return FailedPrecondition(
      "EXTERNAL_IDENTITY",
      "an identity provider signs in here, not the order service");
}

absl::Status PasswordTooWeak(std::string_view field, std::string_view why) {
  return Make(
      absl::StatusCode::kInvalidArgument, "PASSWORD_TOO_WEAK",
      absl::StrCat("the password is too easy to guess: it ", std::string(why)),
      {{"field", std::string(field)}});
}

absl::Status PasswordUnchanged() {
  return Make(absl::StatusCode::kInvalidArgument, "PASSWORD_UNCHANGED",
              "the new password is the present one");
}

absl::Status WrongPassword() {
  return FailedPrecondition("WRONG_PASSWORD", "the present password is wrong");
}

absl::Status TooManyAttempts(absl::Duration retry_delay) {
  // In whole seconds, upwards: sooner is in vain.
  const int64_t seconds =
      absl::ToInt64Seconds(absl::Ceil(retry_delay, absl::Seconds(1)));
  absl::Status status =
      Make(absl::StatusCode::kResourceExhausted, "TOO_MANY_ATTEMPTS",
           absl::StrCat("the password was wrong too often; come again in ",
                        seconds, " s"));
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(seconds);
  status.SetPayload("type.googleapis.com/google.rpc.RetryInfo",
                    absl::Cord(retry.SerializeAsString()));
  return status;
}

absl::Status SignInRefused() {
  return Unauthenticated("SIGN_IN_REFUSED",
                         "the username or the password is wrong, or the user "
                         "is disabled");
}

absl::Status SessionEnded() {
  return Unauthenticated("SESSION_ENDED", "the session is over; sign in again");
}

google::rpc::Status AsResult(const absl::Status& status,
                             std::string_view correlation_id) {
  google::rpc::Status result;
  result.ParseFromString(
      rpc::ToGrpc(status, "mtp.order", correlation_id).error_details());
  return result;
}

absl::Status OfConstraint(std::string_view constraint) {
  if (constraint == "order_request_has_its_plan") {
    return FailedPrecondition("PLAN_HAS_REQUESTS", "the plan has requests");
  }
  if (constraint == "order_plan_requested_within_requirement") {
    return FailedPrecondition("NEEDS_APPROVAL",
                              "more was asked than the plan allows");
  }
  if (constraint == "plan_import_file_is_stored_once" ||
      constraint == "order_plan_is_unique") {
    return ImportRunning("plans");
  }
  if (constraint == "user_account_username_is_unique") return UsernameTaken();
  return absl::OkStatus();
}

}  // namespace mtp::order::errors
