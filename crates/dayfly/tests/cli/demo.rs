use crate::support::Place;

#[test]
fn the_demonstration_ends_well_and_counts_no_message_under_the_permanent_key() {
    let place = Place::new();
    let printed = place.run(&["demo"]).well();
    assert!(
        printed.lines().last().unwrap().ends_with("messages sent under the permanent key: 0"),
        "{printed}"
    );
    assert!(printed.starts_with("The server\n"), "{printed}");
    assert!(place.snapshot("").is_empty(), "it leaves nothing behind");
}

// rule: PF-03, PF-04, PF-13, PF-14
#[test]
fn each_step_of_the_demonstration_is_a_json_object() {
    let steps = Place::new().run(&["demo", "--json"]).well_json();
    assert!(steps.iter().all(|step| step["milliseconds"].is_f64()));
    let names: Vec<&str> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    let count = |name: &str| names.iter().filter(|other| **other == name).count();
    assert_eq!((count("perm_key"), count("temp_key"), count("bound")), (1, 3, 3), "{names:?}");
    assert_eq!((count("server"), count("temp_key_lost"), count("config")), (2, 1, 1), "{names:?}");
    let sum = steps.last().unwrap();
    assert_eq!((&sum["step"], &sum["under_perm"]), (&"sum".into(), &0.into()));
    let perm = &steps.iter().find(|step| step["step"] == "perm_key").unwrap()["key_id"];
    let mut bound = steps.iter().filter(|step| step["step"] == "bound");
    assert!(bound.all(|step| step["perm_key_id"] == *perm), "one permanent key all the while");
}
