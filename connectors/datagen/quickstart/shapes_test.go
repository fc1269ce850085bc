package quickstart

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shape is what other programs rely on, and by which rule each value is made. A line of fields is the name, the Avro
// type and the rule: "of 3" is a choice of three, "[1,5)" a range, "from 1 by 10" a counter, "/x/" a pattern; a record
// is written with its fields in braces. Rows is the number of complete records to choose from.
type shape struct {
	name, record, key, file string
	rows                    int
	fields                  string
}

// shapes are in the order of All.
var shapes = []shape{
	{"pageviews", "ksql.pageviews", "viewtime", "pageviews_schema.avro", 0, `
		viewtime long from 1 by 10
		userid string /User_[1-9]/
		pageid string /Page_[1-9][0-9]/`},
	{"users", "ksql.users", "userid", "users_schema.avro", 0, `
		registertime long [1483228800000,1546300800000)
		userid string /User_[1-9]/
		regionid string /Region_[1-9]/
		gender string of 3`},
	{"users_", "ksql.users", "userid", "users_array_map_schema.avro", 0, `
		registertime long [1483228800000,1546300800000)
		userid string /User_[1-9]/
		regionid string /Region_[1-9]/
		gender string of 3
		interests array<string> of 6
		contactinfo map<string> of 8`},
	{"orders", "ksql.orders", "orderid", "orders_schema.avro", 0, `
		ordertime long [1483228800000,1514764800000)
		orderid int from 0
		itemid string /Item_[1-9][0-9]{0,2}/
		orderunits double [0.1,10.0)
		address address{city string of 20; state string of 16; zipcode long [10000,100000)}`},
	{"ratings", "ksql.ratings", "rating_id", "ratings_schema.avro", 0, `
		rating_id long from 1
		user_id int [-1,20)
		stars int [1,5)
		route_id int [1,10000)
		rating_time long from 1 by 12
		channel string of 5
		message string of 11`},
	{"stock_trades", "ksql.StockTrade", "symbol", "stock_trades_schema.avro", 0, `
		side string of 2
		quantity int [1,5001)
		symbol string of 7
		price int [10,1000)
		account string of 3
		userid string /User_[1-9]/`},
	{"clickstream", "clickstream.events", "ip", "clickstream_schema.avro", 0, `
		ip string of 20
		userid int [-1,40)
		remote_user string of 1
		time string from 1 by 10
		_time long from 1 by 10
		request string of 8
		status string of 6
		bytes string of 8
		referrer string of 5
		agent string of 4`},
	{"clickstream_users", "clickstream.users", "user_id", "clickstream_users_schema.avro", 0, `
		user_id int from 1
		username string of 24
		registered_at long [1420070400000,1514764800000)
		first_name string of 16
		last_name string of 17
		city string of 8
		level string of 3`},
	{"clickstream_codes", "clickstream.codes", "code", "clickstream_codes_schema.avro", 6, `
		code int
		definition string`},
	{"inventory", "ksql.inventory", "id", "inventory.avro", 0, `
		id long from 1
		quantity long from 1
		productid long from 1`},
	{"product", "ksql.product", "id", "product.avro", 0, `
		id long from 1
		name string from 1 "Product "
		description string from 1 "Description of product "
		price double from 1.25 by 0.25 to 500.0`},
	{"purchases", "datagen.example.purchase", "id", "purchase.avro", 0, `
		id long from 1
		item_type string of 16
		quantity long [1,10)
		price_per_unit bytes(decimal 4.2)`},
	{"transactions", "datagen.example.transactions", "transaction_id", "transactions.avro", 0, `
		transaction_id long from 1
		card_id long [1,24)
		user_id string /User_[1-9]/
		purchase_id long from 1
		store_id int [1,7)`},
	{"stores", "datagen.example.stores", "store_id", "stores.avro", 7, `
		store_id int
		city string
		state string`},
	{"credit_cards", "datagen.example.users", "card_id", "credit_cards.avro", 24, `
		card_id int
		card_number long
		cvv int
		expiration_date string`},
	{"campaign_finance", "datagen.campaign_finance", "candidate_id", "campaign_finance.avro", 0, `
		time long [1577836800000,1640995200000)
		candidate_id string /[A-Z][0-9]{8}/
		party_affiliation string of 3
		contribution int [5,5001)`},
	{"fleet_mgmt_description", "fleet_mgmt.fleet_mgmt_description", "vehicle_id", "fleet_mgmt_description.avro", 0, `
		vehicle_id int [1000,9999)
		driver_name string of 100
		license_plate string /[1-9][A-Z]{3}[0-9]{3}/`},
	{"fleet_mgmt_location", "fleet_mgmt.fleet_mgmt_location", "vehicle_id", "fleet_mgmt_location.avro", 0, `
		vehicle_id int [1000,9999)
		location location{latitude double; longitude double} of 30
		ts long(timestamp-millis) from 1609459200000 by 10000`},
	{"fleet_mgmt_sensors", "fleet_mgmt.fleet_mgmt_sensors", "vehicle_id", "fleet_mgmt_sensors.avro", 0, `
		vehicle_id int [1000,9999)
		engine_temperature int [160,261)
		average_rpm int [900,4501)`},
	{"pizza_orders", "pizza_orders.pizza_orders", "store_id", "pizza_orders.avro", 0, `
		store_id int [1,10)
		store_order_id int from 1000
		coupon_code int [1000,2000)
		date int(date) [18993,19724)
		status string of 1
		order_lines array<order_line{product_id int [1,100); category string of 5; quantity int [1,6); unit_price double [4.0,22.0); net_price double [4.0,110.0)}> length [1,5)`},
	{"pizza_orders_completed", "pizza_orders.pizza_orders_completed", "store_id", "pizza_orders_completed.avro", 0, `
		store_id int [1,10)
		store_order_id int from 1000 by 2
		date int(date) [18993,19724)
		status string of 1
		rack_time_secs int [0,241)
		order_delivery_time_secs int [480,3601)`},
	{"pizza_orders_cancelled", "pizza_orders.pizza_orders_cancelled", "store_id", "pizza_orders_cancelled.avro", 0, `
		store_id int [1,10)
		store_order_id int from 1001 by 2
		date int(date) [18993,19724)
		status string of 1`},
	{"insurance_offers", "insurance.insurance_offers", "offer_id", "insurance_offers.avro", 5, `
		offer_id int
		offer_name string
		offer_url string`},
	{"insurance_customers", "insurance.insurance_customers", "customer_id", "insurance_customers.avro", 150, `
		customer_id int
		first_name string
		last_name string
		email string
		gender string
		income int
		fico int
		years_active int`},
	{"insurance_customer_activity", "insurance.insurance_customer_activity", "activity_id", "insurance_customer_activity.avro", 0, `
		activity_id int from 1
		customer_id int [1,151)
		activity_type string of 3
		propensity_to_churn double [0.0,1.0)
		ip_address string of 40`},
	{"gaming_games", "gaming.gaming_games", "id", "gaming_games.avro", 0, `
		id int [1000,1100)
		room_name string of 9
		created_date long(timestamp-millis) from 1609459200000 by 60000`},
	{"gaming_players", "gaming.gaming_players", "player_id", "gaming_players.avro", 100, `
		player_id int
		player_name string
		ip string`},
	{"gaming_player_activity", "gaming.gaming_player_activity", "player_id", "gaming_player_activity.avro", 0, `
		player_id int [1000,1100)
		game_room_id int [1000,1100)
		points int [5,501)
		coordinates string /\[[0-9]{2},[0-9]{2}\]/`},
	{"payroll_employee", "payroll.payroll_employee", "employee_id", "payroll_employee.avro", 100, `
		employee_id int
		first_name string
		last_name string
		age int
		ssn string
		hourly_rate int
		gender string
		email string`},
	{"payroll_employee_location", "payroll.payroll_employee_location", "employee_id", "payroll_employee_location.avro", 0, `
		employee_id int [1000,1100)
		lab string of 6
		department_id int [1,21)
		arrival_date int(date) [18262,19358)`},
	{"payroll_bonus", "payroll.payroll_bonus", "employee_id", "payroll_bonus.avro", 0, `
		employee_id int [1000,1100)
		bonus int [100,10001)
		ts long(timestamp-millis) [1577836800000,1672531200000)`},
	{"syslog_logs", "syslogs.syslog_logs", "host", "syslog_logs.avro", 0, `
		name string of 6
		type string of 3
		message string of 10
		host string of 40
		version string of 1
		tag string of 4
		level int [0,191)
		facility int [0,24)
		severity int [0,8)
		appName string of 7
		remoteAddress string of 24
		rawMessage string of 6
		processId string /[1-9][0-9]{2,4}/
		messageId string /ID[0-9]{2}/
		deviceVendor string of 3
		deviceProduct string of 3
		deviceVersion string /[1-9]-r[0-9]{2}/
		ts long from 1609459200000 by 100`},
	{"device_information", "device_information.device_information", "device_ip", "device_information.avro", 40, `
		device_ip string
		mac_address string
		owner string`},
	{"siem_logs", "siem_logs.siem_logs", "hostname", "siem_logs.avro", 0, `
		hostname string of 8
		action string of 2
		l4 string of 1
		access_group string of 5
		source source{ip string of 40; port int [1024,65536)}
		destination destination{ip string of 32; port int of 8}`},
	{"shoes", "shoes.shoe_product", "id", "shoes.avro", 640, `
		id string
		brand string
		name string
		sale_price int
		rating double`},
	{"shoe_customers", "shoes.shoe_customers", "id", "shoe_customers.avro", 300, `
		id string
		first_name string
		last_name string
		email string
		phone string
		street_address string
		state string
		zip_code string
		country string
		country_code string`},
	{"shoe_orders", "shoes.shoe_orders", "order_id", "shoe_orders.avro", 0, `
		order_id int from 1000
		product_id string of 640
		customer_id string of 300
		ts long(timestamp-millis) from 1609459200000 by 100000`},
	{"shoe_clickstream", "shoes.shoe_clickstream", "product_id", "shoe_clickstream.avro", 0, `
		product_id string of 640
		user_id string of 300
		view_time int [5,121)
		page_url string "https://www.example.com/shoes/" /[a-z]{6}/
		ip string of 64
		ts long(timestamp-millis) from 1609459200000 by 10000`},
}

func TestShapes(t *testing.T) {
	t.Parallel()
	all := All()
	if len(all) != 38 || len(shapes) != 38 {
		t.Fatalf("%d quickstarts and %d expected shapes, want 38 of each", len(all), len(shapes))
	}
	for i, want := range shapes {
		t.Run(want.name, func(t *testing.T) {
			t.Parallel()
			want.fields = strings.ReplaceAll(want.fields, "\n\t\t", "\n")
			if diff := cmp.Diff(want, shapeOf(t, all[i]), cmp.AllowUnexported(shape{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func shapeOf(t *testing.T, q Quickstart) shape {
	t.Helper()
	s := parse(t, q.Name)
	if s.Type != "record" {
		t.Errorf("the root is a %s, want a record", s.Type)
	}
	got := shape{name: q.Name, record: s.Namespace + "." + s.Name, key: q.KeyField, file: q.File}
	if s.Args != nil {
		got.rows = len(s.Args.Options)
	}
	for _, f := range s.Fields {
		got.fields += "\n" + f.Name + " " + f.Type.String()
	}
	if !strings.Contains(got.fields, "\n"+q.KeyField+" ") {
		t.Errorf("the key field %s is not a field", q.KeyField)
	}
	return got
}
