#include "common/operations/log_level.h"

#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "common/base/errors.h"
#include "common/operations/process_act.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::operations {
namespace {

// Who wants more for longer sets it in the configuration.
constexpr absl::Duration kLongest = absl::Hours(24);

// There are no lines below DEBUG.
telemetry::Level LevelOf(ops::v1::LogLevel level) {
  switch (level) {
    case ops::v1::LOG_LEVEL_ERROR:
      return telemetry::Level::kError;
    case ops::v1::LOG_LEVEL_WARNING:
      return telemetry::Level::kWarning;
    case ops::v1::LOG_LEVEL_INFO:
      return telemetry::Level::kInfo;
    default:
      return telemetry::Level::kDebug;
  }
}

ops::v1::LogLevel Shown(telemetry::Level level) {
  switch (level) {
    case telemetry::Level::kDebug:
      return ops::v1::LOG_LEVEL_DEBUG;
    case telemetry::Level::kInfo:
      return ops::v1::LOG_LEVEL_INFO;
    case telemetry::Level::kWarning:
      return ops::v1::LOG_LEVEL_WARNING;
    case telemetry::Level::kError:
      return ops::v1::LOG_LEVEL_ERROR;
  }
  return ops::v1::LOG_LEVEL_UNSPECIFIED;
}

}  // namespace

LogLevel::LogLevel(std::string instance, handlers::CommandLanes& lanes,
                   rpc::Router& router, telemetry::Log& log)
    : instance_(std::move(instance)), lanes_(lanes), log_(log), switch_(log) {
  router.Route("mtp.ops.v1.OperationsService/SetLogLevel",
               [this](std::unique_ptr<rpc::Call> call) {
                 SetLogLevel(std::move(call));
               });
}

void LogLevel::SetLogLevel(std::unique_ptr<rpc::Call> call) {
  const auto& request =
      static_cast<const ops::v1::SetLogLevelRequest&>(*call->message);
  std::optional<absl::Duration> keep_for;
  if (request.has_keep_for()) {
    keep_for = absl::Seconds(request.keep_for().seconds()) +
               absl::Nanoseconds(request.keep_for().nanos());
    if (*keep_for <= absl::ZeroDuration() || *keep_for > kLongest) {
      return call->Fail(errors::InvalidField(
          "keep_for", "must be more than nothing and at most a day"));
    }
  }
  const telemetry::Level level = LevelOf(request.level());
  const auto decide =
      [this, level, keep_for, component = request.component()](
          handlers::Context& context) -> absl::StatusOr<std::string> {
    // One level holds for all lines of the process.
    if (!component.empty()) return errors::NotFound("component", component);
    ops::v1::SetLogLevelResponse response;
    response.set_previous_level(Shown(log_.level()));
    response.set_level(Shown(level));
    response.set_instance(instance_);
    sync::Change change = {
        {"level", std::string(telemetry::LevelName(level))},
        {"previous_level", std::string(telemetry::LevelName(log_.level()))}};
    if (keep_for.has_value())
      change.emplace_back("keep_for", absl::FormatDuration(*keep_for));
    context.Audit("log_level", instance_, "set", change);
    return response.SerializeAsString();
  };
  DoInProcess(lanes_, std::move(call), decide,
              [this, level, keep_for] { switch_.Set(level, keep_for); });
}

}  // namespace mtp::operations
