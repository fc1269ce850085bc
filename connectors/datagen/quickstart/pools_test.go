package quickstart

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// pool is every value that a field can have: a set of texts, an endless counter, or a pattern.
type pool struct {
	set         map[string]bool
	endless     bool
	start, step int64
	regex       string
}

// poolOf returns the values of a field, given as "quickstart.field" or "quickstart.record.field".
func poolOf(t *testing.T, path string) pool {
	t.Helper()
	names := strings.Split(path, ".")
	typ := parse(t, names[0])
	for _, name := range names[1:] {
		rows := typ.Args
		typ = fieldNamed(t, typ, name)
		if rows != nil {
			return column(rows.Options, name)
		}
	}
	return poolOfType(t, path, typ)
}

func fieldNamed(t *testing.T, record avroType, name string) avroType {
	t.Helper()
	for _, f := range record.Fields {
		if f.Name == name {
			return f.Type
		}
	}
	t.Fatalf("%s has no field %s", record.Name, name)
	return avroType{}
}

func column(rows []any, name string) pool {
	set := map[string]bool{}
	for _, row := range rows {
		set[fmt.Sprint(row.(map[string]any)[name])] = true
	}
	return pool{set: set}
}

func poolOfType(t *testing.T, path string, typ avroType) pool {
	t.Helper()
	p := pool{set: map[string]bool{}, step: 1}
	switch a := typ.Args; {
	case a == nil:
		t.Fatalf("%s says nothing about its values", path)
	case a.Regex != "":
		p.regex = a.Regex
	case a.Iteration != nil && a.Iteration.Restart == "":
		p.endless, p.start = true, integer(t, a.Iteration.Start.String())
		if a.Iteration.Step != "" {
			p.step = integer(t, a.Iteration.Step.String())
		}
	case a.Range != nil:
		for n := integer(t, a.Range.Min.String()); n < integer(t, a.Range.Max.String()); n++ {
			p.set[strconv.FormatInt(n, 10)] = true
		}
	default:
		for _, o := range a.Options {
			p.set[fmt.Sprint(o)] = true
		}
	}
	return p
}

func integer(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// strangers returns the values of q that are not in p.
func (p pool) strangers(q pool) []string {
	switch {
	case p.regex != q.regex:
		return []string{"/" + q.regex + "/"}
	case p.endless && q.endless:
		if !p.counts(q.start) || q.step%p.step != 0 {
			return []string{"its counter"}
		}
		return nil
	case q.endless:
		return []string{"an endless counter"}
	}
	var out []string
	for v := range q.set {
		n, err := strconv.ParseInt(v, 10, 64)
		if !p.set[v] && !(p.endless && err == nil && p.counts(n)) {
			out = append(out, v)
		}
	}
	return out
}

func (p pool) counts(n int64) bool { return n >= p.start && (n-p.start)%p.step == 0 }

// A join from the first field to the second finds a match for every value of the first.
func TestPoolsAreJoinable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from, to string
		but      string // values that are meant to have no match, with a space before and after each
	}{
		{from: "pageviews.userid", to: "users.userid"},
		{from: "users.userid", to: "pageviews.userid"},
		{from: "users_.userid", to: "users.userid"},
		{from: "stock_trades.userid", to: "users.userid"},
		{from: "transactions.user_id", to: "users.userid"},
		{from: "clickstream.status", to: "clickstream_codes.code"},
		{from: "clickstream_codes.code", to: "clickstream.status"},
		// Ids below one are visitors who did not sign in.
		{from: "clickstream.userid", to: "clickstream_users.user_id", but: " -1 0 "},
		{from: "inventory.productid", to: "product.id"},
		{from: "transactions.card_id", to: "credit_cards.card_id"},
		{from: "transactions.store_id", to: "stores.store_id"},
		{from: "transactions.purchase_id", to: "purchases.id"},
		{from: "fleet_mgmt_location.vehicle_id", to: "fleet_mgmt_description.vehicle_id"},
		{from: "fleet_mgmt_sensors.vehicle_id", to: "fleet_mgmt_description.vehicle_id"},
		{from: "fleet_mgmt_description.vehicle_id", to: "fleet_mgmt_sensors.vehicle_id"},
		{from: "pizza_orders_completed.store_id", to: "pizza_orders.store_id"},
		{from: "pizza_orders_completed.store_order_id", to: "pizza_orders.store_order_id"},
		{from: "pizza_orders_cancelled.store_id", to: "pizza_orders.store_id"},
		{from: "pizza_orders_cancelled.store_order_id", to: "pizza_orders.store_order_id"},
		{from: "insurance_customer_activity.customer_id", to: "insurance_customers.customer_id"},
		{from: "insurance_customers.customer_id", to: "insurance_customer_activity.customer_id"},
		{from: "gaming_player_activity.player_id", to: "gaming_players.player_id"},
		{from: "gaming_players.player_id", to: "gaming_player_activity.player_id"},
		{from: "gaming_player_activity.game_room_id", to: "gaming_games.id"},
		{from: "payroll_employee_location.employee_id", to: "payroll_employee.employee_id"},
		{from: "payroll_bonus.employee_id", to: "payroll_employee.employee_id"},
		{from: "payroll_employee.employee_id", to: "payroll_bonus.employee_id"},
		{from: "syslog_logs.host", to: "device_information.device_ip"},
		{from: "siem_logs.source.ip", to: "device_information.device_ip"},
		{from: "shoe_orders.product_id", to: "shoes.id"},
		{from: "shoe_orders.customer_id", to: "shoe_customers.id"},
		{from: "shoe_clickstream.product_id", to: "shoes.id"},
		{from: "shoe_clickstream.user_id", to: "shoe_customers.id"},
		{from: "shoes.id", to: "shoe_orders.product_id"},
		{from: "shoe_customers.id", to: "shoe_orders.customer_id"},
	} {
		for _, v := range poolOf(t, tt.to).strangers(poolOf(t, tt.from)) {
			if !strings.Contains(tt.but, " "+v+" ") {
				t.Errorf("%s can be %s, which %s cannot", tt.from, v, tt.to)
			}
		}
	}
}

// Pizza orders end in one of two ways, never in both.
func TestPizzaOrdersEndOnce(t *testing.T) {
	t.Parallel()
	completed, cancelled := poolOf(t, "pizza_orders_completed.store_order_id"), poolOf(t, "pizza_orders_cancelled.store_order_id")
	for n := completed.start; n < completed.start+100; n++ {
		if completed.counts(n) == cancelled.counts(n) && n >= cancelled.start {
			t.Errorf("order %d is in both or in neither", n)
		}
	}
}

func TestRowsHaveDistinctKeys(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, q := range All() {
		s := parse(t, q.Name)
		if s.Args == nil {
			continue
		}
		checked++
		if got, want := len(poolOf(t, q.Name+"."+q.KeyField).set), len(s.Args.Options); got != want {
			t.Errorf("%s: %d rows with %d different keys", q.Name, want, got)
		}
	}
	if checked != 10 {
		t.Errorf("%d quickstarts have rows, want 10", checked)
	}
}
