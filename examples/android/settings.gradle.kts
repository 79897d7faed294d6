pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositories {
        mavenLocal()
        google()
        mavenCentral()
    }
}

rootProject.name = "parvis-android"
include(":app", ":sdk-android")
project(":sdk-android").projectDir = file("../../bindings/kotlin/sdk-android")
