//! What the service tells of itself to who watches it.
use std::net::TcpListener;

use crate::harness::on_each_database;

/// How many requests were counted with those labels.
fn counted(told: &str, labels: &[&str]) -> u64 {
    let counts =
        told.lines().filter(|line| line.starts_with("capacity_hub_request_duration_seconds_count"));
    let ours = counts.filter(|line| labels.iter().all(|label| line.contains(label)));
    ours.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

#[test]
fn requests_are_counted_by_route_and_by_whether_the_answer_came_from_memory() {
    on_each_database(async |hub| {
        let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let instance = hub.another(|settings| settings.admin = Some(at));
        let read = async |path: &str| hub.get_from(&instance.url, path, None).await;
        for slug in ["undp", "undp", "undp", "nobody"] {
            read(&format!("/v1/organisations/{slug}")).await;
        }
        read("/nowhere/at/all").await;
        assert_eq!(read("/metrics").await.status, 404, "the public is not told");

        let admin = format!("http://{at}");
        let told = hub.get_from(&admin, "/metrics", None).await;
        assert_eq!(told.status, 200);
        assert!(told.header("content-type").starts_with("application/openmetrics-text"));
        let told = told.text;
        let route = "route=\"/v1/organisations/{id}\"";
        let get = "method=\"GET\"";
        let memory = |memory: bool| format!("memory=\"{memory}\"");
        let ok = "status=\"2xx\"";
        assert_eq!(counted(&told, &[route, get, ok, &memory(false)]), 1, "{told}");
        assert_eq!(counted(&told, &[route, get, ok, &memory(true)]), 2, "{told}");
        assert_eq!(counted(&told, &[route, "status=\"4xx\""]), 1, "{told}");
        assert_eq!(counted(&told, &["route=\"none\"", "status=\"4xx\""]), 2, "{told}");
        assert!(!told.contains("undp") && !told.contains("nowhere"), "{told}");
        let value = |name: &str| {
            let line = told.lines().find(|line| line.starts_with(name)).expect(name);
            line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
        };
        assert!(value("capacity_hub_log_position ") > 0.0);
        assert!(value("process_start_time_seconds ") > 1e9);
        assert_eq!(hub.get_from(&admin, "/v1/seminars", None).await.status, 404);
        instance.stop().await;
    });
}
