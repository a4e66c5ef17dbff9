#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/lookups.h"
#include "cli/processing_views.h"
#include "cli/verb.h"
#include "common/base/status.h"
#include "mtp/processing/v1/bags.pb.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

// What one call weighs in or scans.
constexpr int kBagsInCall = 500;

struct ReceiveArguments {
  // Only its receipt counts when several bags are weighed in.
  ReceiveBagRequest request;
  std::string tealine, herbline, blendbalance, batch;
  int count = 1;
};

absl::Status FindSource(Session& session, const ReceiveArguments& arguments,
                        BagReceipt& receipt) {
  const int named = !arguments.tealine.empty() + !arguments.herbline.empty() +
                    !arguments.blendbalance.empty() + !arguments.batch.empty();
  if (named != 1) {
    return UsageError(
        "say what is in the bag with one of --tealine, --herbline, "
        "--blendbalance, --batch");
  }
  if (!arguments.batch.empty()) {
    ASSIGN_OR_RETURN(*receipt.mutable_batch_id(),
                     BatchId(session, arguments.batch));
  } else if (!arguments.tealine.empty()) {
    ASSIGN_OR_RETURN(*receipt.mutable_item_id(),
                     TealineId(session, arguments.tealine));
  } else if (!arguments.herbline.empty()) {
    ASSIGN_OR_RETURN(*receipt.mutable_item_id(),
                     HerblineId(session, arguments.herbline));
  } else {
    ASSIGN_OR_RETURN(*receipt.mutable_item_id(),
                     BlendbalanceId(session, arguments.blendbalance));
  }
  return absl::OkStatus();
}

// Several bags alike, each judged by itself.
absl::Status ReceiveMany(Session& session, const ReceiveArguments& arguments) {
  if (!arguments.request.receipt().barcode().empty()) {
    return UsageError("--barcode is of one bag, not of several");
  }
  BatchReceiveBagsRequest request;
  for (int i = 0; i < arguments.count; ++i) {
    *request.add_receipts() = arguments.request.receipt();
  }
  BatchReceiveBagsResponse response;
  RETURN_IF_ERROR(session.Call(request, response));
  int refused = 0;
  for (const auto& result : response.results()) refused += result.has_error();
  RETURN_IF_ERROR(session.Show(response, [&] {
    Many<Bag> bags;
    std::string faults;
    for (const auto& result : response.results()) {
      if (result.has_bag()) {
        *bags.Add() = result.bag();
      } else {
        absl::StrAppend(&faults, "refused: ", OneLine(StatusOf(result.error())),
                        "\n");
      }
    }
    return BagsText(bags) + faults;
  }));
  return refused == 0 ? absl::OkStatus() : AlreadyTold();
}

absl::Status Receive(Session& session, ReceiveArguments& arguments) {
  RETURN_IF_ERROR(
      FindSource(session, arguments, *arguments.request.mutable_receipt()));
  if (arguments.count > 1) return ReceiveMany(session, arguments);
  ReceiveBagResponse response;
  RETURN_IF_ERROR(session.Call(arguments.request, response));
  return session.Show(response, [&] { return BagText(response.bag()); });
}

void AddReceive(CLI::App& app, Session& session) {
  auto arguments = std::make_shared<ReceiveArguments>();
  CLI::App& command = *app.add_subcommand("receive", "Weighs bags in");
  const auto source = [&](const char* name, std::string& text,
                          const char* help) {
    command.add_option(name, text, help)->type_name("CODE");
  };
  source("--tealine", arguments->tealine, "Of this lot of tea, by code or id");
  source("--herbline", arguments->herbline, "Of this lot of herbs");
  source("--blendbalance", arguments->blendbalance, "Of this left-over blend");
  source("--batch", arguments->batch, "Out of this batch, as BS-1/2");
  const auto bind = [&](const char* name, const char* path, const char* help) {
    return Bind(command, name, arguments->request, path, help);
  };
  bind("--at", "receipt.location", "The location where it is put")->required();
  bind("--gross", "receipt.gross_grams", "What the scale says")->required();
  bind("--tare", "receipt.tare_grams", "The empty bag");
  bind("--barcode", "receipt.barcode", "Of a label printed before");
  bind("--reference", "receipt.reference", "Of herbs: the supplier's mark");
  bind("--occurred-at", "receipt.occurred_at", "When, if it is told later");
  command.add_option("--count", arguments->count, "So many bags alike")
      ->check(CLI::Range(1, kBagsInCall))
      ->capture_default_str();
  command.callback([&session, arguments] {
    session.Do([&session, arguments] { return Receive(session, *arguments); });
  });
}

absl::Status ScanMany(Session& session,
                      const std::vector<std::string>& barcodes) {
  BatchScanBagsRequest request;
  for (const std::string& barcode : barcodes) request.add_barcodes(barcode);
  BatchScanBagsResponse response;
  RETURN_IF_ERROR(session.Call(request, response));
  bool all = true;
  for (const auto& result : response.results()) all &= result.has_scan();
  RETURN_IF_ERROR(session.Show(response, [&] {
    Many<Bag> bags;
    std::string faults;
    for (const auto& result : response.results()) {
      if (result.has_scan()) {
        *bags.Add() = result.scan().bag();
      } else {
        absl::StrAppend(&faults, OneLine(StatusOf(result.error())), "\n");
      }
    }
    return BagsText(bags) + faults;
  }));
  return all ? absl::OkStatus() : AlreadyTold();
}

absl::Status Scan(Session& session, const std::vector<std::string>& barcodes) {
  if (barcodes.size() > 1) return ScanMany(session, barcodes);
  ScanBagRequest request;
  request.set_barcode(barcodes.front());
  ScanBagResponse response;
  RETURN_IF_ERROR(session.Call(request, response));
  return session.Show(response, [&] { return ScanText(response.scan()); });
}

void AddScan(CLI::App& app, Session& session) {
  auto barcodes = std::make_shared<std::vector<std::string>>();
  CLI::App& command =
      *app.add_subcommand("scan", "What the labels of bags mean");
  command
      .add_option("BARCODE", *barcodes, "With or without the kind before it")
      ->required()
      ->expected(1, kBagsInCall);
  command.callback([&session, barcodes] {
    session.Do([&session, barcodes] { return Scan(session, *barcodes); });
  });
}

}  // namespace

void AddBagCommands(CLI::App& app, Session& session) {
  AddReceive(app, session);
  AddScan(app, session);

  Verb<MoveBagRequest, MoveBagResponse>(app, session, "move",
                                        "Puts a bag at another place")
      .Argument("BARCODE", "barcode", "The bag")
      .Needed("--to", "location", "The location's name")
      .Shows([](const auto& response) { return BagText(response.bag()); });

  CLI::App& group = Group(app, "bag", "Bags");
  Verb<ListBagsRequest, ListBagsResponse>(group, session, "list", "Lists bags")
      .Option("--kind", "kind", "Only of this kind")
      .Option("--code", "item_code", "Only of lots of this code")
      .Looked("--batch", "BATCH", "Only out of this batch, as BS-1/2", false,
              [&session](const std::string& text, ListBagsRequest& request) {
                ASSIGN_OR_RETURN(*request.mutable_batch_id(),
                                 BatchId(session, text));
                return absl::OkStatus();
              })
      .Option("--at", "location", "Only at this location")
      .Option("--status", "statuses", "Only in this status")
      .Option("--remaining", "min_remaining_grams", "With at least so much")
      .Option("--held", "on_hold", "Only held ones, or only others")
      .Shows([](const auto& response) { return BagsText(response.bags()); });

  Verb<GetBagRequest, GetBagResponse>(group, session, "show", "One bag")
      .Argument("BARCODE", "barcode", "The bag")
      .Shows([](const auto& response) { return BagText(response.bag()); });
}

}  // namespace mtp::cli
