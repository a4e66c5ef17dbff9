#include "cli/seed/catalog.h"

#include <array>

namespace mtp::cli {
namespace {

constexpr std::array kGrades = {
    TeaGrade{"BOP", 50'000},     TeaGrade{"BOPF", 54'000},
    TeaGrade{"BOP1", 40'000},    TeaGrade{"FBOP", 44'000},
    TeaGrade{"FBOPF", 48'000},   TeaGrade{"FBOPF1", 46'000},
    TeaGrade{"OP", 38'000},      TeaGrade{"OP1", 32'000},
    TeaGrade{"OPA", 30'000},     TeaGrade{"PEKOE", 45'000},
    TeaGrade{"PEKOE1", 42'000},  TeaGrade{"BOPSP", 50'000},
    TeaGrade{"DUST", 62'000},    TeaGrade{"DUST1", 60'000},
    TeaGrade{"FBOPFSP", 36'000},
};

constexpr std::array kGardens = {
    TeaGarden{"Adawatte", "ADW"},      TeaGarden{"Aislaby", "AIS"},
    TeaGarden{"Attempettia", "ATT"},   TeaGarden{"Battawatte", "BTW"},
    TeaGarden{"Bogahawatte", "BOG"},   TeaGarden{"Court Lodge", "CTL"},
    TeaGarden{"Craighead", "CRH"},     TeaGarden{"Dambatenne", "DBT"},
    TeaGarden{"Demodera", "DEM"},      TeaGarden{"Fordyce", "FOR"},
    TeaGarden{"Galaboda", "GLB"},      TeaGarden{"Glentilt", "GLT"},
    TeaGarden{"Great Western", "GRW"}, TeaGarden{"Halpewatte", "HAL"},
    TeaGarden{"Hingalgoda", "HIN"},    TeaGarden{"Holyrood", "HOL"},
    TeaGarden{"Ingestre", "ING"},      TeaGarden{"Kenilworth", "KEN"},
    TeaGarden{"Laxapana", "LAX"},      TeaGarden{"Lovers Leap", "LVL"},
    TeaGarden{"Lumbini", "LUM"},       TeaGarden{"Mahanilu", "MHN"},
    TeaGarden{"Mattakelle", "MTK"},    TeaGarden{"New Vithanakande", "NVT"},
    TeaGarden{"Norwood", "NOR"},       TeaGarden{"Pedro", "PED"},
    TeaGarden{"Pothotuwa", "POT"},     TeaGarden{"Radella", "RAD"},
    TeaGarden{"Somerset", "SOM"},      TeaGarden{"St. Coombs", "STC"},
    TeaGarden{"Strathspey", "STR"},    TeaGarden{"Uva Highlands", "UVH"},
    TeaGarden{"Venture", "VEN"},
};

constexpr std::array<std::string_view, 8> kBrokers = {"Asia Siyaka",
                                                      "Bartleet Produce",
                                                      "Ceylon Tea Brokers",
                                                      "Eastern Brokers",
                                                      "Forbes & Walker",
                                                      "John Keells",
                                                      "Lanka Commodity Brokers",
                                                      "Mercantile Produce"};

constexpr std::array kBlends = {
    BlendKind{"EB101", "English Breakfast 100TB x 6", "EB-STD-2", "BOPF"},
    BlendKind{"EB114", "English Breakfast 25TB x 24", "EB-STD-1", "BOPF"},
    BlendKind{"CS310", "Ceylon Supreme 250g PKT", "CS-STD-4", "BOP"},
    BlendKind{"CS325", "Ceylon Supreme 500g PKT", "CS-STD-4", "BOP"},
    BlendKind{"DI549", "Dimbula Reserve 100g CTN", "DI-STD-1", "FBOP"},
    BlendKind{"UV207", "Uva Seasonal 50TB x 12", "UV-STD-3", "BOP"},
    BlendKind{"NE118", "Nuwara Eliya Light 100g CTN", "NE-STD-1", "OP"},
    BlendKind{"KA420", "Kandy Afternoon 100TB x 6", "KA-STD-2", "FBOPF"},
    BlendKind{"RU655", "Ruhunu Leaf 200g TIN", "RU-STD-2", "OP1"},
    BlendKind{"EG230", "Earl Grey Base 25TB x 24", "EG-STD-1", "BOP1"},
    BlendKind{"JA728", "Jasmine Green 100TB x 6", "JA-STD-1", "PEKOE"},
    BlendKind{"IC812", "Iced Tea Base 1kg CTC", "IC-STD-5", "DUST1"},
    BlendKind{"HO903", "Hotel Service 500TB", "HO-STD-2", "DUST"},
};

constexpr std::array kFlavors = {
    FlavorKind{"LG12", "Lemon and ginger"},
    FlavorKind{"MI20", "Mint"},
    FlavorKind{"EG30", "Earl grey with orange"},
    FlavorKind{"CC41", "Cinnamon and cardamom"},
    FlavorKind{"HB52", "Hibiscus and rose hip"},
    FlavorKind{"TU63", "Tulsi and lemongrass"},
    FlavorKind{"VA74", "Vanilla"},
    FlavorKind{"MC85", "Masala chai"},
    FlavorKind{"JS96", "Jasmine"},
};

constexpr std::array kHerbs = {
    HerbKind{"Lemongrass", 12'000},  HerbKind{"Ginger", 20'000},
    HerbKind{"Peppermint", 10'000},  HerbKind{"Spearmint", 10'000},
    HerbKind{"Orange peel", 15'000}, HerbKind{"Cinnamon", 20'000},
    HerbKind{"Cardamom", 15'000},    HerbKind{"Hibiscus", 12'000},
    HerbKind{"Rose hip", 18'000},    HerbKind{"Tulsi", 8'000},
    HerbKind{"Vanilla", 5'000},      HerbKind{"Cloves", 20'000},
    HerbKind{"Jasmine", 6'000},      HerbKind{"Moringa", 10'000},
    HerbKind{"Gotukola", 8'000},     HerbKind{"Iramusu", 15'000},
};

constexpr std::array<std::string_view, 6> kVehicles = {
    "WP LG-4821", "WP LH-1170", "CP LM-3306",
    "WP LK-9054", "SP LC-7712", "WP LJ-2289"};

constexpr std::array<std::string_view, 12> kTeaStores = {
    "Stores A-01", "Stores A-02", "Stores A-03", "Stores A-04",
    "Stores A-05", "Stores A-06", "Stores B-01", "Stores B-02",
    "Stores B-03", "Stores B-04", "Stores B-05", "Stores B-06"};
constexpr std::array<std::string_view, 6> kBlendStores = {
    "Blend Bay 1", "Blend Bay 2", "Blend Bay 3",
    "Blend Bay 4", "Despatch 1",  "Despatch 2"};
constexpr std::array<std::string_view, 4> kHerbRooms = {
    "Herb Room H-01", "Herb Room H-02", "Herb Room H-03", "Herb Room H-04"};

}  // namespace

std::span<const TeaGrade> TeaGrades() { return kGrades; }
std::span<const TeaGarden> TeaGardens() { return kGardens; }
std::span<const std::string_view> TeaBrokers() { return kBrokers; }
std::span<const BlendKind> BlendKinds() { return kBlends; }
std::span<const FlavorKind> FlavorKinds() { return kFlavors; }
std::span<const HerbKind> HerbKinds() { return kHerbs; }
std::span<const std::string_view> Vehicles() { return kVehicles; }
std::span<const std::string_view> TeaStores() { return kTeaStores; }
std::span<const std::string_view> BlendStores() { return kBlendStores; }
std::span<const std::string_view> HerbRooms() { return kHerbRooms; }

}  // namespace mtp::cli
