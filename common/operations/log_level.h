#pragma once

#include <memory>
#include <string>

#include "common/handlers/commands.h"
#include "common/rpc/call.h"
#include "common/telemetry/level_switch.h"
#include "common/telemetry/log.h"

// What the process that answers logs.
namespace mtp::operations {

class LogLevel {
 public:
  // All given outlive it.
  LogLevel(std::string instance, handlers::CommandLanes& lanes,
           rpc::Router& router, telemetry::Log& log);

 private:
  void SetLogLevel(std::unique_ptr<rpc::Call> call);

  const std::string instance_;
  handlers::CommandLanes& lanes_;
  telemetry::Log& log_;
  telemetry::LevelSwitch switch_;
};

}  // namespace mtp::operations
