#!/usr/bin/python3
"""Makes the nine steps of one order through both services, as a client in another language would.

usage: nine_steps.py STUBS ORDER PROCESSING CA TOKENS

STUBS is the folder with what protoc made of the contract (--python_out, --grpc_python_out), ORDER and PROCESSING are
the addresses of the services, CA the file with the certificate that theirs are from, TOKENS a JSON file with a token
for each role, as {"GRANDPASS_ADMIN": "eyJ…", …}: on the local stack `mtpctl token GRANDPASS_ADMIN` makes one. Prints a
line for each step; ends with 0 only if the trace of the parcel names the garden.
"""

import hashlib
import json
import sys
import time
import uuid
from pathlib import Path

import grpc

if len(sys.argv) != 6:
    sys.exit(__doc__)
stubs, order_address, processing_address, ca_file, tokens_file = sys.argv[1:]
sys.path.insert(0, stubs)

# The contract brings google.rpc along, which lives in the same package as protobuf itself.
import google  # noqa: E402

google.__path__.append(str(Path(stubs) / "google"))

from mtp.common.v1 import common_pb2 as common  # noqa: E402
from mtp.order.v1 import plans_pb2, plans_pb2_grpc, requests_pb2, requests_pb2_grpc  # noqa: E402
from mtp.order.v1 import schedules_pb2, schedules_pb2_grpc, shipments_pb2, shipments_pb2_grpc  # noqa: E402
from mtp.processing.v1 import allocations_pb2, allocations_pb2_grpc, bags_pb2, bags_pb2_grpc  # noqa: E402
from mtp.processing.v1 import batches_pb2, batches_pb2_grpc, locations_pb2, locations_pb2_grpc  # noqa: E402
from mtp.processing.v1 import materials_pb2, materials_pb2_grpc, outbound_pb2, outbound_pb2_grpc  # noqa: E402
from mtp.processing.v1 import recipes_pb2, recipes_pb2_grpc, trace_pb2, trace_pb2_grpc  # noqa: E402

TEA_BAGS, TEA_BAG_GRAMS = 40, 50_000
BLENDED_TEA_BAGS, BALANCE_GRAMS = 10, 100_000
BLEND_BAGS, BLEND_BAG_GRAMS = 12, 50_000
ORDERED_GRAMS, PARCEL_GRAMS = 500_000, 30_000
TARE_GRAMS = 500
LIMIT_SECONDS = 30

tokens = json.loads(Path(tokens_file).read_text())
credentials = grpc.ssl_channel_credentials(Path(ca_file).read_bytes())
no_proxy = [("grpc.enable_http_proxy", 0)]
order = grpc.secure_channel(order_address, credentials, no_proxy)
processing = grpc.secure_channel(processing_address, credentials, no_proxy)

run = uuid.uuid4().hex[:10]
garden = f"Kenilworth {run}"


def by(role):
    """How a person of that role calls."""
    return {"metadata": [("authorization", f"Bearer {tokens[role]}")], "timeout": 20}


def new_id():
    return str(uuid.uuid4())


def told(what, ask):
    """Waits until this side has heard of something from the other."""
    end = time.monotonic() + LIMIT_SECONDS
    while True:
        try:
            if ask():
                return
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.NOT_FOUND:
                raise
        if time.monotonic() > end:
            sys.exit(f"the other side was not told: {what}")
        time.sleep(0.01)


def step(number, text):
    print(f"{number}. {text}", flush=True)


def import_plan():
    row = plans_pb2.PlanRow(
        line_number=2, order_code=f"SO-{run}", item_code=f"BL{run}-01", requirement="4,240.00",
        product_name="Jasmine Green 100TB x 6", plan_start="2026-11-08", plan_end="2026-11-21")
    digest = hashlib.sha256(run.encode()).hexdigest()
    reply = plans_pb2_grpc.PlanServiceStub(order).ImportPlans(
        iter([plans_pb2.ImportPlansRequest(request_id=new_id(), file_name=f"{run}.csv", file_digest=digest),
              plans_pb2.ImportPlansRequest(rows=[row])]),
        **by("GRANDPASS_ADMIN"))
    assert reply.stored, reply
    step(1, f"the plan SO-{run} is imported")


def request():
    reply = requests_pb2_grpc.RequestServiceStub(order).CreateRequest(
        requests_pb2.CreateRequestRequest(
            request_id=new_id(),
            request=requests_pb2.NewRequest(order_code=f"SO-{run}", requirement_grams=ORDERED_GRAMS)),
        **by("GRANDPASS_OFFICER"))
    key = reply.request.shipments[0].key
    told("the shipment", lambda: manifest(key).shipment.quantity_grams == ORDERED_GRAMS)
    step(2, f"shipment {key.request_code}/{key.shipment_code} is requested, and Seeduwa shows it")
    return key


def manifest(key):
    return outbound_pb2_grpc.OutboundServiceStub(processing).GetShipmentManifest(
        outbound_pb2.GetShipmentManifestRequest(key=key), **by("SEEDUWA_OPERATOR"))


def at_grandpass(key):
    return shipments_pb2_grpc.ShipmentServiceStub(order).GetShipment(
        shipments_pb2.GetShipmentRequest(key=key), **by("GRANDPASS_OFFICER")).shipment


def receive(count, grams, location, **source):
    receipt = bags_pb2.BagReceipt(
        location=location, gross_grams=grams + TARE_GRAMS, tare_grams=TARE_GRAMS, **source)
    reply = bags_pb2_grpc.BagServiceStub(processing).BatchReceiveBags(
        bags_pb2.BatchReceiveBagsRequest(request_id=new_id(), receipts=[receipt] * count),
        **by("SEEDUWA_OPERATOR"))
    assert all(result.HasField("bag") for result in reply.results), reply
    return [result.bag.barcode for result in reply.results]


def allocate(barcodes, grams, **target):
    draft = allocations_pb2.AllocationDraft
    reply = allocations_pb2_grpc.AllocationServiceStub(processing).BatchAllocate(
        allocations_pb2.BatchAllocateRequest(
            request_id=new_id(),
            allocations=[draft(barcode=barcode, grams=grams, **target) for barcode in barcodes]),
        **by("SEEDUWA_OPERATOR"))
    assert all(result.HasField("allocation") for result in reply.results), reply
    return [result.allocation.allocation_id for result in reply.results]


def receive_tea():
    location = locations_pb2_grpc.LocationServiceStub(processing).CreateLocation(
        locations_pb2.CreateLocationRequest(
            request_id=new_id(), location=locations_pb2.NewLocation(name=f"Stores {run}")),
        **by("SEEDUWA_ADMIN")).location
    tealine = materials_pb2_grpc.MaterialServiceStub(processing).CreateTealine(
        materials_pb2.CreateTealineRequest(
            request_id=new_id(),
            tealine=materials_pb2.NewTealine(
                item_code=f"T-{run}", invoice=f"INV-{run}", grade="BOPF", garden=garden,
                bag_count=TEA_BAGS, bag_grams=TEA_BAG_GRAMS)),
        **by("SEEDUWA_ADMIN")).tealine
    bags = receive(TEA_BAGS, TEA_BAG_GRAMS, location.name, item_id=tealine.item_id)
    step(3, f"{len(bags)} bags of {garden} are weighed in")
    return location, tealine, bags


def blend(location, tealine, tea_bags):
    balance = materials_pb2_grpc.MaterialServiceStub(processing).CreateBlendbalance(
        materials_pb2.CreateBlendbalanceRequest(
            request_id=new_id(),
            blendbalance=materials_pb2.NewBlendbalance(
                item_code=f"B-{run}", blend_code=f"BL{run}", transfer_id=f"TR-{run}",
                expected_grams=BALANCE_GRAMS)),
        **by("SEEDUWA_ADMIN")).blendbalance
    balance_bags = receive(1, BALANCE_GRAMS, location.name, item_id=balance.item_id)
    sheet = recipes_pb2_grpc.RecipeServiceStub(processing).CreateBlendsheet(
        recipes_pb2.CreateBlendsheetRequest(
            request_id=new_id(), number=f"BS-{run}",
            blendsheet=recipes_pb2.BlendsheetContent(
                blend_code=f"BL{run}", total_grams=BLEND_BAGS * BLEND_BAG_GRAMS, batch_count=1,
                tealines=[recipes_pb2.TealineMixture(item_id=tealine.item_id, bag_count=BLENDED_TEA_BAGS)],
                blendbalances=[recipes_pb2.BlendbalanceMixture(item_id=balance.item_id, grams=BALANCE_GRAMS)])),
        **by("SEEDUWA_ADMIN")).blendsheet
    batch = batches_pb2_grpc.BatchServiceStub(processing).OpenBatch(
        batches_pb2.OpenBatchRequest(request_id=new_id(), recipe_id=sheet.recipe_id),
        **by("SEEDUWA_OFFICER")).batch
    allocate(tea_bags[:BLENDED_TEA_BAGS], TEA_BAG_GRAMS, batch_id=batch.batch_id)
    allocate(balance_bags, BALANCE_GRAMS, batch_id=batch.batch_id)
    bags = receive(BLEND_BAGS, BLEND_BAG_GRAMS, location.name, batch_id=batch.batch_id)
    step(4, f"batch {batch.batch_number} of {sheet.number} is blended, {len(bags)} bags come out")
    return batch, bags


def approve(batch):
    batches = batches_pb2_grpc.BatchServiceStub(processing)
    batches.RecordMeasurement(
        batches_pb2.RecordMeasurementRequest(
            request_id=new_id(), batch_id=batch.batch_id, humidity_basis_points=650,
            density_grams_per_cubic_metre=325_500),
        **by("SEEDUWA_OFFICER"))
    batches.RequestApproval(
        batches_pb2.RequestApprovalRequest(request_id=new_id(), batch_id=batch.batch_id), **by("SEEDUWA_OFFICER"))
    batches.AllowBatch(
        batches_pb2.AllowBatchRequest(request_id=new_id(), batch_id=batch.batch_id), **by("TRADER_OFFICER"))
    step(5, "the trader allows the batch")


def load(key, bags):
    outbound_pb2_grpc.OutboundServiceStub(processing).MarkShipmentReady(
        outbound_pb2.MarkShipmentReadyRequest(request_id=new_id(), key=key), **by("SEEDUWA_OFFICER"))
    allocations = allocate(bags[:ORDERED_GRAMS // BLEND_BAG_GRAMS], BLEND_BAG_GRAMS, shipment=key)
    told("what is allocated", lambda: at_grandpass(key).progress.allocated_grams == ORDERED_GRAMS)
    step(6, f"{len(allocations)} bags are allocated, and Grandpass shows {ORDERED_GRAMS // 1000} kg")
    return allocations


def dispatch(key):
    outbound_pb2_grpc.OutboundServiceStub(processing).DispatchShipments(
        outbound_pb2.DispatchShipmentsRequest(request_id=new_id(), keys=[key], shipment_vehicle=f"LX-{run}"),
        **by("SEEDUWA_OPERATOR"))
    told("the dispatch", lambda: at_grandpass(key).status == common.SHIPMENT_STATUS_SHIPMENT_DISPATCHED)
    step(7, f"it leaves with LX-{run}, and Grandpass shows SHIPMENT_DISPATCHED")


def parcel(key, allocation):
    shipments_pb2_grpc.ShipmentServiceStub(order).AcceptShipment(
        shipments_pb2.AcceptShipmentRequest(request_id=new_id(), key=key, shipment_remarks="complete"),
        **by("GRANDPASS_GATEPASS"))
    schedules = schedules_pb2_grpc.ScheduleServiceStub(order)
    schedule = schedules.CreateSchedule(
        schedules_pb2.CreateScheduleRequest(
            request_id=new_id(),
            schedule=schedules_pb2.NewSchedule(
                date=common.Date(year=2026, month=11, day=9), order_code=f"SO-{run}", shift=common.SHIFT_DAY,
                section="Line 4", quantity_grams=PARCEL_GRAMS)),
        **by("GRANDPASS_OFFICER")).schedule
    request_id = new_id()
    made = []

    def make():
        try:
            made.append(allocations_pb2_grpc.AllocationServiceStub(processing).CreateParcel(
                allocations_pb2.CreateParcelRequest(
                    request_id=request_id, allocation_id=allocation, schedule_code=schedule.schedule_code,
                    grams=PARCEL_GRAMS),
                **by("GRANDPASS_DEV_MACHINE")).parcel)
        except grpc.RpcError as error:
            # Seeduwa has not heard of the acceptance yet.
            if error.code() != grpc.StatusCode.FAILED_PRECONDITION:
                raise
        return made

    told("the acceptance and the schedule", make)
    schedules.CompleteSchedule(
        schedules_pb2.CompleteScheduleRequest(request_id=new_id(), schedule_code=schedule.schedule_code),
        **by("GRANDPASS_DEV_MACHINE"))
    step(8, f"it is accepted, and a parcel is made for schedule {schedule.schedule_code}")
    return made[0]


def trace(parcel_id):
    replies = trace_pb2_grpc.TraceServiceStub(processing).Trace(
        trace_pb2.TraceRequest(
            start=trace_pb2.TraceStart(parcel_id=parcel_id), direction=trace_pb2.TRACE_DIRECTION_BACKWARD),
        **by("GRANDPASS_DEV_MACHINE"))
    gardens = {node.item.garden for reply in replies for node in reply.nodes if node.item.garden}
    step(9, f"the parcel is from {', '.join(sorted(gardens))}")
    return gardens


import_plan()
shipment_key = request()
store, tea, raw_bags = receive_tea()
made_batch, blend_bags = blend(store, tea, raw_bags)
approve(made_batch)
shipment_allocations = load(shipment_key, blend_bags)
dispatch(shipment_key)
first_parcel = parcel(shipment_key, shipment_allocations[0])
sys.exit(trace(first_parcel.parcel_id) != {garden})
