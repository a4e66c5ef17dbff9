#include "cli/station/commands.h"

#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/contract.h"
#include "cli/fields.h"
#include "cli/lookups.h"
#include "cli/processing_views.h"
#include "cli/station/line.h"
#include "cli/station/spool.h"
#include "cli/station/watch.h"
#include "cli/verb.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

// What one call weighs in or scans.
constexpr int kBagsInCall = 500;

constexpr char kWatchHelp[] =
    " A line of output says what came of each: ok, NO (refused, and why), ?? "
    "(not understood), kept (nobody answers: it is on the disk and is sent in "
    "order when somebody does; `sent` says so then), start (after the lines "
    "that are kept from before). What was read is on the disk before it is "
    "sent, and is sent once, whenever this program or the service is killed. A "
    "line counts once a line of output names it; after a kill, those until "
    "`start` are the last of the run before. `mtpctl spool` shows what is "
    "kept. A token that expires is best given as --token @FILE.";

struct WatchArguments {
  bool watch = false;
  std::string spool = Spool::DefaultPath();
};

void AddWatching(CLI::App& command, WatchArguments& watch) {
  command.add_flag("--watch", watch.watch,
                   "Reads lines from standard input, one after another, and "
                   "goes on through an outage");
  command
      .add_option("--spool", watch.spool,
                  "Where lines are kept until they are answered")
      ->type_name("FILE")
      ->capture_default_str();
}

struct ReceiveArguments {
  // Only its receipt counts when several bags are weighed in.
  ReceiveBagRequest request;
  std::string tealine, herbline, blendbalance, batch;
  int count = 1;
  WatchArguments watch;
  bool new_labels = false;
};

// The spool of a station that makes these calls, after it is told what the
// spool keeps.
absl::StatusOr<std::unique_ptr<Spool>> OpenSpool(Session& session,
                                                 const MethodDescriptor& method,
                                                 const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<Spool> spool, Spool::Open(path));
  RETURN_IF_ERROR(TellFromBefore(session, *spool));
  // Nothing is kept that could never be sent.
  RETURN_IF_ERROR(session.MayCall(method));
  return spool;
}

using Lookup = absl::StatusOr<std::string> (*)(Session&, const std::string&);
using Find = std::function<absl::StatusOr<std::string>(
    const char* kind, const std::string& name, Lookup lookup)>;

// `find` turns a name into an id.
absl::Status FindSource(const ReceiveArguments& arguments, const Find& find,
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
                     find("batch", arguments.batch, BatchId));
  } else if (!arguments.tealine.empty()) {
    ASSIGN_OR_RETURN(*receipt.mutable_item_id(),
                     find("tealine", arguments.tealine, TealineId));
  } else if (!arguments.herbline.empty()) {
    ASSIGN_OR_RETURN(*receipt.mutable_item_id(),
                     find("herbline", arguments.herbline, HerblineId));
  } else {
    ASSIGN_OR_RETURN(
        *receipt.mutable_item_id(),
        find("blendbalance", arguments.blendbalance, BlendbalanceId));
  }
  return absl::OkStatus();
}

// The receipt of a line: what the station's command line says, and the line.
absl::StatusOr<std::shared_ptr<google::protobuf::Message>> ReceiptOf(
    const ReceiveArguments& arguments, const BagReceipt& station,
    const StationLine& line, absl::Time at) {
  if (!line.first_grams.has_value()) {
    return absl::InvalidArgumentError("no weight in it");
  }
  if (line.barcode.empty() && !arguments.new_labels) {
    return absl::InvalidArgumentError(
        "no barcode in it (--new-labels is for bags without one)");
  }
  auto request = std::make_shared<ReceiveBagRequest>();
  BagReceipt& receipt = *request->mutable_receipt();
  receipt = station;
  receipt.set_barcode(line.barcode);
  receipt.set_tare_grams(line.second_grams.value_or(station.tare_grams()));
  receipt.set_gross_grams(*line.first_grams +
                          (line.net ? receipt.tare_grams() : 0));
  if (receipt.gross_grams() <= receipt.tare_grams()) {
    return absl::InvalidArgumentError("it weighs no more than its tare");
  }
  *receipt.mutable_occurred_at() = ToProto(at);
  return request;
}

absl::Status WatchReceipts(Session& session,
                           const ReceiveArguments& arguments) {
  if (arguments.request.receipt().gross_grams() != 0 ||
      !arguments.request.receipt().barcode().empty() || arguments.count > 1) {
    return UsageError(
        "with --watch, barcodes and weights come from standard input");
  }
  if (arguments.request.receipt().has_occurred_at()) {
    return UsageError("with --watch, a bag is weighed when its line is read");
  }
  const MethodDescriptor& method = MethodOf(*ReceiveBagRequest::descriptor());
  ASSIGN_OR_RETURN(const std::unique_ptr<Spool> spool,
                   OpenSpool(session, method, arguments.watch.spool));
  BagReceipt station = arguments.request.receipt();
  RETURN_IF_ERROR(FindSource(
      arguments,
      [&](const char* kind, const std::string& name, Lookup lookup) {
        return NameOrLast(session, *spool, kind, name, lookup);
      },
      station));
  return Watch(session, *spool,
               {.method = &method,
                .barcode_then_weight = !arguments.new_labels,
                .request =
                    [&](const StationLine& line, absl::Time at) {
                      return ReceiptOf(arguments, station, line, at);
                    }},
               STDIN_FILENO);
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
  if (arguments.watch.watch) return WatchReceipts(session, arguments);
  if (arguments.request.receipt().gross_grams() == 0) {
    return UsageError("--gross is needed: what the scale says");
  }
  RETURN_IF_ERROR(FindSource(
      arguments,
      [&](const char*, const std::string& name, Lookup lookup) {
        return lookup(session, name);
      },
      *arguments.request.mutable_receipt()));
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
  bind("--gross", "receipt.gross_grams", "What the scale says");
  bind("--tare", "receipt.tare_grams", "The empty bag");
  bind("--barcode", "receipt.barcode", "Of a label printed before");
  bind("--reference", "receipt.reference", "Of herbs: the supplier's mark");
  bind("--occurred-at", "receipt.occurred_at", "When, if it is told later");
  command.add_option("--count", arguments->count, "So many bags alike")
      ->check(CLI::Range(1, kBagsInCall))
      ->capture_default_str();
  command.add_flag("--new-labels", arguments->new_labels,
                   "With --watch: lines are weights, the service makes the "
                   "barcodes");
  AddWatching(command, arguments->watch);
  command.footer(
      std::string("With --watch each line of standard input is a bag: BARCODE "
                  "WEIGHT [TARE], or the barcode in one line and the weight in "
                  "the next. ") +
      kStationLineHelp + kWatchHelp);
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

struct ScanArguments {
  std::vector<std::string> barcodes;
  WatchArguments watch;
  std::string move_to;
  std::string batch;
  std::string shipment;
};

// What a scanned line asks for: to show the bag, to move it, or to give a part
// of it somewhere.
absl::StatusOr<std::shared_ptr<google::protobuf::Message>> RequestOf(
    const ScanArguments& arguments, const std::string& batch_id,
    const StationLine& line, absl::Time at) {
  const bool allocates =
      !arguments.shipment.empty() || !arguments.batch.empty();
  if (line.barcode.empty()) {
    return absl::InvalidArgumentError("no barcode in it");
  }
  if (allocates != line.first_grams.has_value() ||
      line.second_grams.has_value()) {
    return absl::InvalidArgumentError(allocates
                                          ? "the line must be BARCODE WEIGHT"
                                          : "the line must be a barcode alone");
  }
  if (allocates && *line.first_grams == 0) {
    return absl::InvalidArgumentError("there is nothing on the scale");
  }
  if (!arguments.move_to.empty()) {
    auto request = std::make_shared<MoveBagRequest>();
    request->set_barcode(line.barcode);
    request->set_location(arguments.move_to);
    *request->mutable_occurred_at() = ToProto(at);
    return request;
  }
  if (!arguments.batch.empty()) {
    auto request = std::make_shared<AllocateToBatchRequest>();
    request->set_barcode(line.barcode);
    request->set_batch_id(batch_id);
    request->set_grams(*line.first_grams);
    *request->mutable_occurred_at() = ToProto(at);
    return request;
  }
  if (!arguments.shipment.empty()) {
    auto request = std::make_shared<AllocateToShipmentRequest>();
    request->set_barcode(line.barcode);
    ASSIGN_OR_RETURN(*request->mutable_shipment(),
                     ParseShipmentKey(arguments.shipment));
    request->set_grams(*line.first_grams);
    *request->mutable_occurred_at() = ToProto(at);
    return request;
  }
  auto request = std::make_shared<ScanBagRequest>();
  request->set_barcode(line.barcode);
  return request;
}

const google::protobuf::Descriptor* RequestTypeOf(
    const ScanArguments& arguments) {
  if (!arguments.move_to.empty()) return MoveBagRequest::descriptor();
  if (!arguments.batch.empty()) return AllocateToBatchRequest::descriptor();
  if (!arguments.shipment.empty()) {
    return AllocateToShipmentRequest::descriptor();
  }
  return ScanBagRequest::descriptor();
}

absl::Status WatchScans(Session& session, const ScanArguments& arguments) {
  if (!arguments.barcodes.empty()) {
    return UsageError("with --watch, barcodes come from standard input");
  }
  if (!arguments.shipment.empty()) {
    const auto key = ParseShipmentKey(arguments.shipment);
    if (!key.ok()) return UsageError(std::string(key.status().message()));
  }
  const MethodDescriptor& method = MethodOf(*RequestTypeOf(arguments));
  ASSIGN_OR_RETURN(const std::unique_ptr<Spool> spool,
                   OpenSpool(session, method, arguments.watch.spool));
  std::string batch_id;
  if (!arguments.batch.empty()) {
    ASSIGN_OR_RETURN(batch_id, NameOrLast(session, *spool, "batch",
                                          arguments.batch, BatchId));
  }
  return Watch(
      session, *spool,
      {.method = &method,
       .barcode_then_weight =
           !arguments.batch.empty() || !arguments.shipment.empty(),
       .barcode_only = arguments.batch.empty() && arguments.shipment.empty(),
       .request =
           [&](const StationLine& line, absl::Time at) {
             return RequestOf(arguments, batch_id, line, at);
           }},
      STDIN_FILENO);
}

absl::Status ScanOnce(Session& session, const ScanArguments& arguments) {
  if (!arguments.move_to.empty() || !arguments.batch.empty() ||
      !arguments.shipment.empty()) {
    return UsageError(
        "--move-to, --batch and --shipment are for --watch; for one bag there "
        "are `mtpctl move` and `mtpctl allocate`");
  }
  if (arguments.barcodes.empty()) return UsageError("BARCODE is needed");
  return Scan(session, arguments.barcodes);
}

void AddScan(CLI::App& app, Session& session) {
  auto arguments = std::make_shared<ScanArguments>();
  CLI::App& command =
      *app.add_subcommand("scan", "What the labels of bags mean");
  command
      .add_option("BARCODE", arguments->barcodes,
                  "With or without the kind before it")
      ->expected(1, kBagsInCall);
  CLI::Option* move = command
                          .add_option("--move-to", arguments->move_to,
                                      "With --watch: moves each bag there")
                          ->type_name("LOCATION");
  CLI::Option* batch =
      command
          .add_option("--batch", arguments->batch,
                      "With --watch: gives the weight of each line to this "
                      "batch, as BS-1/2")
          ->type_name("BATCH");
  CLI::Option* shipment =
      command
          .add_option("--shipment", arguments->shipment,
                      "With --watch: gives the weight of each line to this "
                      "shipment, as 17/1")
          ->type_name("REQUEST/SHIPMENT");
  move->excludes(batch)->excludes(shipment);
  batch->excludes(shipment);
  AddWatching(command, arguments->watch);
  command.footer(
      std::string("With --watch each line of standard input is a BARCODE, or "
                  "with --batch or --shipment BARCODE WEIGHT. ") +
      kStationLineHelp + kWatchHelp);
  command.callback([&session, arguments] {
    session.Do([&session, arguments] {
      return arguments->watch.watch ? WatchScans(session, *arguments)
                                    : ScanOnce(session, *arguments);
    });
  });
}

}  // namespace

void AddStationCommands(CLI::App& app, Session& session) {
  AddReceive(app, session);
  AddScan(app, session);
}

}  // namespace mtp::cli
