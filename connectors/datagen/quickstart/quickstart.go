// Package quickstart has the data shapes that come with the Datagen connector: Avro schemas whose types carry
// "arg.properties", the instructions by which values are made up.
//
// Names, key fields, file names, record names, fields and types are those of the original, so that configurations,
// queries and registered schemas keep working. The values are this project's own and stand for nobody: addresses come
// from the ranges kept free for documentation (RFC 5737, RFC 7042), host names and e-mail addresses from example.com,
// telephone numbers from 555-0100 to 555-0199, social security and card numbers from ranges that are never given out.
//
// Shapes that belong together share their identifiers, so that joins over them find matches: an order of shoe_orders
// always names a product of shoes and a customer of shoe_customers.
package quickstart

import (
	"embed"
	"strings"
)

// dir is the directory, within the embedded files, of the schemas.
const dir = "schemas"

//go:embed schemas/*.avro
var files embed.FS

// Quickstart is one bundled shape of data.
type Quickstart struct {
	// Name is the value of the "quickstart" configuration that selects the shape, in lower case.
	Name string
	// KeyField is the top-level field that becomes the key of a record unless "schema.keyfield" names another.
	KeyField string
	// File is the name of the bundled schema, which "schema.filename" accepts too. Taken by its file name a schema has no
	// key field of its own.
	File string
	// Description says in one sentence what the records stand for.
	Description string
}

// All returns the bundled shapes, the ones that belong together side by side. The slice is the caller's.
func All() []Quickstart {
	return []Quickstart{
		{"pageviews", "viewtime", "pageviews_schema.avro", "Views of the pages of a website."},
		{"users", "userid", "users_schema.avro", "Registered users of the website."},
		{"users_", "userid", "users_array_map_schema.avro", "Registered users with a list of interests and a map of contact details."},
		{"orders", "orderid", "orders_schema.avro", "Orders with a nested address."},
		{"ratings", "rating_id", "ratings_schema.avro", "Ratings that passengers give after a flight."},
		{"stock_trades", "symbol", "stock_trades_schema.avro", "Purchases and sales of the test symbols of a stock exchange."},
		{"clickstream", "ip", "clickstream_schema.avro", "Lines of a web server's access log."},
		{"clickstream_users", "user_id", "clickstream_users_schema.avro", "Registered visitors of the web server."},
		{"clickstream_codes", "code", "clickstream_codes_schema.avro", "HTTP status codes and what they mean."},
		{"inventory", "id", "inventory.avro", "Stock levels of products."},
		{"product", "id", "product.avro", "Products with a name, a description and a price."},
		{"purchases", "id", "purchase.avro", "Purchased items with a decimal price."},
		{"transactions", "transaction_id", "transactions.avro", "Card transactions that refer to purchases, stores and credit cards."},
		{"stores", "store_id", "stores.avro", "Seven stores and where they are."},
		{"credit_cards", "card_id", "credit_cards.avro", "Twenty-four credit cards."},
		{"campaign_finance", "candidate_id", "campaign_finance.avro", "Contributions to the candidates of an election."},
		{"fleet_mgmt_description", "vehicle_id", "fleet_mgmt_description.avro", "Vehicles of a fleet with driver and licence plate."},
		{"fleet_mgmt_location", "vehicle_id", "fleet_mgmt_location.avro", "Positions of the vehicles of the fleet."},
		{"fleet_mgmt_sensors", "vehicle_id", "fleet_mgmt_sensors.avro", "Engine readings of the vehicles of the fleet."},
		{"pizza_orders", "store_id", "pizza_orders.avro", "Pizza orders with one to four order lines."},
		{"pizza_orders_completed", "store_id", "pizza_orders_completed.avro", "Pizza orders that were delivered, with the time each step took."},
		{"pizza_orders_cancelled", "store_id", "pizza_orders_cancelled.avro", "Pizza orders that were cancelled."},
		{"insurance_offers", "offer_id", "insurance_offers.avro", "Five offers of an insurance company."},
		{"insurance_customers", "customer_id", "insurance_customers.avro", "Customers of the insurance company."},
		{"insurance_customer_activity", "activity_id", "insurance_customer_activity.avro", "Visits of the insurance company's customers, with how likely they are to leave."},
		{"gaming_games", "id", "gaming_games.avro", "Game rooms being opened."},
		{"gaming_players", "player_id", "gaming_players.avro", "Players of the games."},
		{"gaming_player_activity", "player_id", "gaming_player_activity.avro", "Points that players score in game rooms."},
		{"payroll_employee", "employee_id", "payroll_employee.avro", "Employees on the payroll."},
		{"payroll_employee_location", "employee_id", "payroll_employee_location.avro", "Laboratories and departments of the employees."},
		{"payroll_bonus", "employee_id", "payroll_bonus.avro", "Bonuses paid to the employees."},
		{"syslog_logs", "host", "syslog_logs.avro", "Messages of a system log."},
		{"device_information", "device_ip", "device_information.avro", "Devices of a network and their owners."},
		{"siem_logs", "hostname", "siem_logs.avro", "Decisions of firewalls about connections between two addresses."},
		{"shoes", "id", "shoes.avro", "Products of a shoe shop."},
		{"shoe_customers", "id", "shoe_customers.avro", "Customers of the shoe shop."},
		{"shoe_orders", "order_id", "shoe_orders.avro", "Orders placed at the shoe shop."},
		{"shoe_clickstream", "product_id", "shoe_clickstream.avro", "Product pages that customers of the shoe shop look at."},
	}
}

// Find returns the shape that a value of the "quickstart" configuration selects. Upper and lower case are the same.
func Find(name string) (Quickstart, bool) {
	for _, q := range All() {
		if strings.EqualFold(q.Name, name) {
			return q, true
		}
	}
	return Quickstart{}, false
}

// Schema returns the Avro schema of the shape as JSON text. The bytes are the caller's; they are nil for a Quickstart
// that is not from this package.
func (q Quickstart) Schema() []byte {
	b, _ := File(q.File)
	return b
}

// File returns the bundled schema of that exact file name, for example "pageviews_schema.avro", and whether there is
// one. The bytes are the caller's.
func File(name string) ([]byte, bool) {
	b, err := files.ReadFile(dir + "/" + name)
	return b, err == nil
}
