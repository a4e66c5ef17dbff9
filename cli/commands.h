#pragma once

#include "CLI/CLI.hpp"
#include "cli/session.h"

// The commands, a function and a file for each subject. They are added to the
// program's tree and, when one is chosen, tell the session what to do.
namespace mtp::cli {

void AddPlanCommands(CLI::App& app, Session& session);
void AddRequestCommands(CLI::App& app, Session& session);
void AddShipmentCommands(CLI::App& app, Session& session);
void AddScheduleCommands(CLI::App& app, Session& session);

void AddLocationCommands(CLI::App& app, Session& session);
void AddMaterialCommands(CLI::App& app, Session& session);
void AddRecipeCommands(CLI::App& app, Session& session);
void AddBatchCommands(CLI::App& app, Session& session);
void AddBagCommands(CLI::App& app, Session& session);
void AddStockCommands(CLI::App& app, Session& session);
void AddPaperCommands(CLI::App& app, Session& session);
void AddAllocationCommands(CLI::App& app, Session& session);
void AddOutboundCommands(CLI::App& app, Session& session);
void AddTraceCommands(CLI::App& app, Session& session);
void AddActivityCommands(CLI::App& app, Session& session);
void AddSpoolCommands(CLI::App& app, Session& session);

void AddIdentityCommands(CLI::App& app, Session& session);
void AddOperationsCommands(CLI::App& app, Session& session);
void AddCorrelationCommand(CLI::App& app, Session& session);
// Of the group `sync`.
void AddLinkCommands(CLI::App& sync, Session& session);
void AddAuditCommands(CLI::App& app, Session& session);
void AddContractCommands(CLI::App& app, Session& session);
void AddCheckCommand(CLI::App& app, Session& session);
void AddSeedCommand(CLI::App& app, Session& session);
void AddDemoCommand(CLI::App& app, Session& session);
void AddCompletionCommand(CLI::App& app, Session& session);

}  // namespace mtp::cli
