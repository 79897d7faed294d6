// The archive for apps: the sources beside this file, the Kotlin SDK, and the library for each kind of processor.
plugins {
    id("com.android.library") version "8.13.0"
    kotlin("android") version "2.4.20"
    `maven-publish`
}

group = "dev.parvis"
version = "0.1.0"

android {
    namespace = "dev.parvis.android"
    compileSdk = 36
    defaultConfig {
        minSdk = 31
        consumerProguardFiles("consumer-rules.pro")
    }
    // libparvis_ffi.so of each processor, as scripts/android-libraries.sh puts them there.
    sourceSets["main"].jniLibs.srcDir("jniLibs")
    publishing { singleVariant("release") { withSourcesJar() } }
}

kotlin {
    jvmToolchain(17)
    explicitApi()
}

dependencies {
    api("dev.parvis:sdk:0.1.0") { exclude(group = "net.java.dev.jna") }
    // JNA as Android wants it: its archive holds the native half.
    implementation("net.java.dev.jna:jna:5.19.1@aar")
    implementation("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.10.2")
    testImplementation(kotlin("test-junit"))
    testImplementation("junit:junit:4.13.2")
}

publishing {
    publications {
        register<MavenPublication>("release") { afterEvaluate { from(components["release"]) } }
    }
}
